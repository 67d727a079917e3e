"""Event handlers of the page."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from headmime.animate.strength import Strength
from headmime.errors import HeadmimeError
from headmime.web.jobs import VIDEO_SIDE, JobRequest, JobRunner
from headmime.web.layout import OWN_FILE, OWN_VIDEO, SHOW_MOMENT, Layout
from headmime.web.previews import PORTRAIT, driving_preview, save_image, thumbnail, write_examples
from headmime.web.progress import JobStopped, Progress, Queue, times
from headmime.web.sessions import Session, Sessions
from headmime.web.updates import (
    clear_error,
    clear_outputs,
    paragraphs,
    shorten_paths,
    show_error,
    show_result,
)
from headmime.web.uploads import PERSON, Limits, check_driving, check_sources
from headmime.web.verdicts import describe_marks

TITLE = "headmime"
SEVERAL = 16  # jobs that gradio starts; `Queue` runs one at a time
Data = dict[Any, Any]
"""Values of components."""


class Page:
    """The page's components and handlers. `blocks` is the gradio app; `shown`: folder of examples
    and drawn motions.
    """

    def __init__(self, runner: JobRunner, sessions: Sessions, limits: Limits, shown: Path) -> None:
        self.runner, self.sessions, self.limits, self.shown = runner, sessions, limits, shown
        self.queue, self.examples = Queue(), write_examples(shown)
        with gr.Blocks(
            title=TITLE, analytics_enabled=False, delete_cache=(300, 3600)
        ) as self.blocks:
            self.layout = Layout(limits, self.examples)
            self._connect(self.layout)

    def _connect(self, layout: Layout) -> None:
        quick: dict[str, Any] = {
            "queue": False,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        job: dict[str, Any] = {"concurrency_limit": SEVERAL, "api_visibility": "private"}
        inputs, error = set(layout.inputs), layout.error
        layout.files.change(
            self._on_files, layout.files, [layout.thumbnails, layout.source, *error], **quick
        ).success(
            self._check_person, layout.files, [layout.checked, layout.source, *error], **quick
        ).then(self._plan, inputs, layout.plan, **quick)
        layout.examples.select(self._on_example, None, [layout.files, layout.consent], **quick)
        motions = [layout.motion.change, layout.video.change, layout.file.change, self.blocks.load]
        gr.on(
            motions,
            self._on_motion,
            inputs,
            [layout.video, layout.file, layout.driving, layout.start, layout.end, *error],
            **quick,
        ).then(self._plan, inputs, layout.plan, **quick)
        planned = (layout.output, layout.quality, layout.start, layout.end)
        gr.on([part.change for part in planned], self._plan, inputs, layout.plan, **quick)
        for moment in (layout.start, layout.end):
            moment.input(None, moment, None, js=SHOW_MOMENT)
        layout.kind.change(
            lambda kind: [gr.update(interactive=kind == "relative")] * len(layout.strengths),
            layout.kind,
            layout.strengths,
            **quick,
        )
        layout.make.click(self._on_make, None, [*layout.outputs, *error], **quick).then(
            self._run_job,
            inputs,
            [*layout.outputs, *error],
            trigger_mode="once",
            show_progress_on=layout.result,
            **job,
        ).success(
            self._make_gif, None, [layout.gif, layout.notes], show_progress_on=layout.gif, **job
        ).then(self._plan, inputs, layout.plan, **quick)
        layout.stop.click(self._on_stop, None, None, **quick)
        layout.suspect.change(self._verify, layout.suspect, layout.verdict, **quick)
        self.blocks.unload(self._on_close)

    def _on_files(self, files: list[str] | None, request: gr.Request) -> list[Any]:
        paths = [Path(file) for file in files or []]
        session = self._session(request, paths)
        try:
            if paths:
                check_sources(paths, self.limits)
            shown = [
                thumbnail(path, session.thumbnails, self.limits)
                for path in paths
                if path.suffix.lower() != PERSON
            ]
        except HeadmimeError as error:
            message = self._describe_error(str(error), paths, session)
            return [gr.update(visible=False, value=None), None, *message]
        return [gr.update(visible=len(shown) > 1, value=shown), None, *clear_error()]

    def _check_person(self, files: list[str] | None, request: gr.Request) -> list[Any]:
        """Detect the face, and warn of other people, before the job."""
        paths, session = [Path(file) for file in files or []], self._session(request)
        session.images, session.photo_side = 1, 0
        if not paths or paths[0].suffix.lower() == PERSON:
            return ["", None, *clear_error()]
        try:
            sources, notes = self.runner.check_person(paths)
        except HeadmimeError as error:
            return ["", None, *self._describe_error(str(error), paths, session)]
        assert sources.scene is not None  # they were read from files
        session.images = len(sources.frames)
        session.photo_side = max(sources.scene.image.shape[:2])
        portrait = save_image(
            sources.scene.crop.cut(sources.scene.image, PORTRAIT),
            session.thumbnails / "portrait.png",
            PORTRAIT,
        )
        return [
            paragraphs([shorten_paths(note, paths) for note in notes]),
            portrait,
            *[gr.skip()] * 3,
        ]

    def _on_example(self, chosen: gr.SelectData) -> tuple[list[str], str]:
        path, _ = self.examples[int(chosen.index)]
        return [str(path)], "public-domain" if path.suffix == ".jpg" else "licensed"

    def _on_motion(self, data: Data, request: gr.Request) -> list[Any]:
        """Show the chosen motion and its length; it is used from its start to its end."""
        layout, driving = self.layout, self._driving(data)
        session = self._session(request, [Path(driving)] if driving else [])
        boxes = [
            gr.update(visible=data[layout.motion] == OWN_VIDEO),
            gr.update(visible=data[layout.motion] == OWN_FILE),
        ]
        unchanged = [gr.skip() for _ in layout.error]
        if driving is None:
            return [*boxes, None, 0, None, *unchanged]
        try:
            if data[layout.motion] in (OWN_VIDEO, OWN_FILE):
                check_driving(Path(driving), self.limits)
            film, seconds = driving_preview(driving, self.shown, self.runner.marks)
        except HeadmimeError as error:
            message = self._describe_error(str(error), [Path(driving)], session)
            return [*boxes, None, gr.skip(), gr.skip(), *message]
        shown = gr.update(value=film, label=f"Driving: {seconds:.1f} s")
        mended = clear_error() if Path(driving) in session.uploads else unchanged
        return [*boxes, shown, 0, None, *mended]

    def _plan(self, data: Data, request: gr.Request) -> str:
        """Say how long the job will take, and how large its video will be."""
        session = self._session(request)
        try:
            job = self._request(data)
            _, frames = job.length()
            seconds = self.runner.expected_seconds(job, session.images, session.person)
        except HeadmimeError:
            return ""  # said when it is pressed, or beside the file
        net, side = self.runner.model.shape.image_size, "256 pixels"
        if job.output == "full" and session.photo_side:
            side = f"{min(VIDEO_SIDE, session.photo_side)} pixels, as the photo"
        elif data[self.layout.motion] == OWN_VIDEO:
            side += ", or more if the driving face is larger"
        made = f"{frames} frames; the head is made at {net} x {net} pixels, the video at {side}."
        return paragraphs([times(seconds, self.queue.ahead()) + made])

    def _on_make(self, request: gr.Request) -> list[Any]:
        session = self._session(request)
        session.stop.clear()
        return [*clear_outputs(session.last or session.earlier), *clear_error()]

    def _on_stop(self, request: gr.Request) -> None:
        self._session(request).stop.set()

    def _on_close(self, request: gr.Request) -> None:
        self.sessions.close(_tab(request))

    def _run_job(
        self,
        data: Data,
        request: gr.Request,
        bar: gr.Progress = gr.Progress(),  # noqa: B008 (required by gradio)
    ) -> list[Any]:
        session = self.sessions.find(_tab(request))
        if session is None:
            return [*clear_outputs(None), *clear_error()]
        inputs = [Path(file) for file in data[self.layout.files] or []]
        inputs += [Path(data[box]) for box in (self.layout.video, self.layout.file) if data[box]]
        try:
            job = self._request(data)
            self._check_request(job, data)
            left = self.runner.expected_seconds(job, session.images, session.person)
            progress = self._progress(bar, session, left)
            with self.queue.turn(progress), self.sessions.writing(_tab(request)):
                folder = self.sessions.begin(_tab(request))
                session.person = self.runner.make_person(job, session.person, progress)
                session.last = self.runner.make_video(session.person, job, folder, progress)
                saved = session.person.save(folder / f"{job.images[0].stem}{PERSON}")
            notes = [shorten_paths(note, inputs) for note in session.last.notes]
            return [*show_result(session.last, session.earlier, saved, notes), *clear_error()]
        except JobStopped:
            return [*clear_outputs(session.earlier), *show_error("Stopped.")]
        except HeadmimeError as error:
            message = self._describe_error(str(error), inputs, session)
            return [*clear_outputs(session.last or session.earlier), *message]

    def _make_gif(
        self,
        request: gr.Request,
        bar: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """Write the GIF of the last result, if there is one."""
        session = self.sessions.find(_tab(request))
        if session is None or session.last is None:
            return [gr.skip(), gr.skip()]
        try:
            progress = self._progress(bar, session)
            with self.queue.turn(progress), self.sessions.writing(_tab(request)):
                gif = self.runner.make_gif(session.last, progress)
            return [gr.update(value=gif, interactive=True), gr.skip()]
        except JobStopped:
            return [gr.skip(), gr.skip()]
        except HeadmimeError as error:
            return [gr.skip(), paragraphs([*session.last.notes, str(error)])]

    def _verify(self, file: str | None, request: gr.Request) -> str:
        if file is None:
            return ""
        self._session(request, [Path(file)])
        try:
            return paragraphs(describe_marks(Path(file), self.runner.marks))
        except HeadmimeError as error:
            return paragraphs([shorten_paths(str(error), [Path(file)])])

    def _session(self, request: gr.Request, uploads: Sequence[Path] = ()) -> Session:
        """The tab's session; `uploads` are deleted with it."""
        session = self.sessions.get_or_create(_tab(request))
        kept = Path(os.environ["GRADIO_TEMP_DIR"])
        session.uploads.update(file for file in uploads if kept in file.parents)
        return session

    def _progress(self, bar: gr.Progress, session: Session, left: float | None = None) -> Progress:
        def show(share: float, text: str) -> None:
            bar(share, desc=text)

        return Progress(show, session.stop, self.runner.paces, left)

    def _driving(self, data: Data) -> str | None:
        """The chosen motion: a name or a file; None if it is not there yet."""
        own = {OWN_VIDEO: data[self.layout.video], OWN_FILE: data[self.layout.file]}
        return own.get(data[self.layout.motion], data[self.layout.motion])

    def _request(self, data: Data) -> JobRequest:
        """Build the request. HeadmimeError if image or motion is missing."""
        layout, driving = self.layout, self._driving(data)
        if not data[layout.files]:
            raise HeadmimeError("There is no photo yet: drop photos of a person, or a video.")
        if driving is None:
            raise HeadmimeError("There is no motion yet: upload a file, or record yourself.")
        relative = data[layout.kind] == "relative"
        strengths = [float(data[slider]) for slider in layout.strengths]
        return JobRequest(
            images=tuple(Path(file) for file in data[layout.files]),
            driving=driving,
            output=data[layout.output],
            finetune=data[layout.quality],
            consent=data[layout.consent],
            start=data[layout.start] or 0.0,
            end=data[layout.end],
            motion=data[layout.kind],
            strength=Strength(*strengths) if relative else Strength(),
        )

    def _check_request(self, job: JobRequest, data: Data) -> None:
        """HeadmimeError for unusable or too large inputs, or without a consent."""
        check_sources(job.images, self.limits)
        if data[self.layout.motion] in (OWN_VIDEO, OWN_FILE):
            check_driving(Path(job.driving), self.limits)
        if job.is_saved_person:
            if job.output == "full":
                raise HeadmimeError("A saved person holds no photo: choose the head as output.")
        elif not job.consent:
            raise HeadmimeError("Please say why you may animate this person.")

    def _describe_error(self, sentence: str, files: Sequence[Path], session: Session) -> list[Any]:
        """Updates for an error sentence, with thumbnails of the files it names."""
        thumbnails = []
        for file in files:
            if str(file) in sentence:
                try:
                    shown = thumbnail(file, session.thumbnails, self.limits)
                except HeadmimeError:
                    continue  # the file is unreadable: the error itself
                thumbnails.append((shown, file.name))
        return show_error(shorten_paths(sentence, files), thumbnails)


def _tab(request: gr.Request) -> str:
    """The browser's name for the tab that asks."""
    assert request.session_hash is not None
    return request.session_hash
