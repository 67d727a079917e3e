"""Event handlers of the page."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr

from headmime.errors import HeadmimeError
from headmime.web.jobs import JobRunner
from headmime.web.layout import OWN_FILE, SHOW_MOMENT, WEBCAM, Data, Layout, motions
from headmime.web.previews import PORTRAIT, driving_preview, save_image, thumbnail, write_examples
from headmime.web.progress import JobStopped, Progress, Queue, times
from headmime.web.sessions import Session, Sessions
from headmime.web.updates import (
    clear_outputs,
    figure,
    figures,
    paragraphs,
    shorten_paths,
    show_error,
    show_result,
)
from headmime.web.uploads import PERSON, Limits, check_driving, check_sources
from headmime.web.verdicts import describe_marks

TITLE = "headmime"
BAR = gr.Progress()  # gradio gives each call its own
SEVERAL = 16  # jobs that gradio starts; `Queue` runs one at a time


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
        plan: tuple[Any, ...] = (self._plan, inputs, layout.plan)
        layout.files.change(
            self._on_files, layout.files, [layout.thumbnails, layout.source, error], **quick
        ).success(
            self._check_person, layout.files, [layout.checked, layout.source, error], **quick
        ).then(*plan, **quick)
        layout.examples.select(self._on_example, None, [layout.files, layout.consent], **quick)
        chosen = [part.change for part in (layout.motion, layout.webcam, layout.file)]
        shown: tuple[Any, ...] = (self._on_motion, inputs, layout.driven)
        gr.on(chosen, *shown, **quick).then(*plan, **quick)
        self.blocks.load(*shown, **quick).then(self._draw_motions, None, layout.films, **quick)
        planned = (layout.output, layout.quality, layout.start, layout.end)
        gr.on([part.change for part in planned], *plan, **quick)
        for moment in (layout.start, layout.end):
            moment.input(None, moment, None, js=SHOW_MOMENT)
        layout.kind.change(
            lambda kind: [gr.update(interactive=kind == "relative")] * len(layout.strengths),
            layout.kind,
            layout.strengths,
            **quick,
        )
        layout.template.click(
            self._make_template,
            inputs,
            [layout.motion, layout.file, error],
            show_progress_on=layout.driving,
            **job,
        )
        layout.make.click(self._on_make, None, [*layout.outputs, error], **quick).then(
            self._run_job,
            inputs,
            [*layout.outputs, error],
            trigger_mode="once",
            show_progress_on=layout.result,
            **job,
        ).success(
            self._make_gif, None, [layout.gif, layout.notes], show_progress_on=layout.gif, **job
        ).then(*plan, **quick)
        layout.stop.click(self._on_stop, None, None, **quick)
        layout.suspect.change(self._verify, layout.suspect, layout.verdict, **quick)
        self.blocks.unload(self._on_close)

    def _on_files(self, files: list[str] | None, request: gr.Request) -> list[Any]:
        paths = [Path(file) for file in files or []]
        session, empty = self._session(request, paths), figure(None, "Source")
        try:
            check_sources(paths, self.limits)
            images = [path for path in paths if path.suffix.lower() != PERSON]
            shown = [(thumbnail(path, session.thumbnails, self.limits), "") for path in images]
        except HeadmimeError as error:
            return ["", empty, self._describe_error(str(error), paths, session)]
        return [figures(shown) if len(shown) > 1 else "", empty, ""]

    def _check_person(self, files: list[str] | None, request: gr.Request) -> list[Any]:
        """Detect the face, and warn of other people, before the job."""
        paths, session = [Path(file) for file in files or []], self._session(request)
        session.checked, empty = None, figure(None, "Source")
        if not paths:
            return ["", empty, ""]
        try:
            person = session.checked = self.runner.check_person(paths)
        except HeadmimeError as error:
            return ["", empty, self._describe_error(str(error), paths, session)]
        if person.scene is None:
            return ["", empty, ""]
        portrait = session.thumbnails / f"{uuid4().hex}.png"
        save_image(person.scene.crop.cut(person.scene.image, PORTRAIT), portrait, PORTRAIT)
        notes = paragraphs([shorten_paths(note, paths) for note in person.notes])
        return [notes, figure(portrait, "Source"), gr.skip()]

    def _on_example(self, chosen: gr.SelectData) -> tuple[list[str], str]:
        path, _ = self.examples[int(chosen.index)]
        return [str(path)], "public-domain" if path.suffix == ".jpg" else "licensed"

    def _preview(self, driving: str, folder: Path) -> tuple[Path, str]:
        return driving_preview(driving, folder, self.limits, self.runner.marks)

    def _draw_motions(self) -> str:
        """Films of the bundled motions."""
        films = [(self._preview(name, self.shown)[0], title) for title, name in motions()]
        return figures(films)

    def _on_motion(self, data: Data, request: gr.Request) -> list[Any]:
        """Show the chosen motion and its length; it is used from its start to its end."""
        chosen, driving = data[self.layout.motion], self.layout.chosen_driving(data)
        own = chosen in (OWN_FILE, WEBCAM)
        session = self._session(request, [Path(driving)] if own and driving else [])
        boxes = [gr.update(visible=chosen == kind) for kind in (OWN_FILE, WEBCAM)]
        off, on = gr.update(visible=False), gr.update(visible=True)
        if driving is None:
            return [*boxes, figure(None, "Driving"), off, on, 0, None, gr.skip()]
        try:
            if own:
                check_driving(Path(driving), self.limits)
            folder = session.thumbnails if own else self.shown
            shown, length = self._preview(driving, folder)
        except HeadmimeError as error:
            message = self._describe_error(str(error), [Path(driving)], session)
            return [*boxes, figure(None, "Driving"), off, on, gr.skip(), gr.skip(), message]
        return [
            *boxes,
            figure(shown, f"Driving: {length}"),
            on if shown == Path(driving) else off,  # a video
            on if shown.suffix != ".png" else off,  # an image has none
            *(0, None, "" if own else gr.skip()),
        ]

    def _make_template(self, data: Data, request: gr.Request, bar: gr.Progress = BAR) -> list[Any]:
        """Write the motion of the video as a template, and choose that."""
        session, layout = self._session(request), self.layout
        video = Path(layout.chosen_driving(data) or "")
        part = data[layout.start] or 0.0, data[layout.end]
        session.stop.clear()
        try:
            check_driving(video, self.limits)
            progress = self._progress(bar, session)
            with self.queue.turn(progress), self.sessions.writing(_tab(request)):
                made = self.runner.make_template(video, *part, session.folder, progress)
            return [OWN_FILE, str(made), ""]
        except JobStopped:
            return [gr.skip(), gr.skip(), show_error("Stopped.")]
        except HeadmimeError as error:
            message = self._describe_error(str(error), [video], session)
            return [gr.skip(), gr.skip(), message]

    def _plan(self, data: Data, request: gr.Request) -> str:
        """Say how long the job will take, and how large its result will be."""
        session = self._session(request)
        try:
            job, person = self.layout.request(data), session.checked
            if person is None:
                return ""  # its files are being checked, or are wrong
            seconds = self.runner.expected_seconds(job, person, session.person)
            return paragraphs([times(seconds, self.queue.ahead()) + job.describe(person)])
        except HeadmimeError:
            return ""  # said when it is pressed, or beside the file

    def _on_make(self, request: gr.Request) -> list[Any]:
        session = self._session(request)
        session.stop.clear()
        return [*clear_outputs(session.last or session.earlier), ""]

    def _on_stop(self, request: gr.Request) -> None:
        self._session(request).stop.set()

    def _on_close(self, request: gr.Request) -> None:
        self.sessions.close(_tab(request))

    def _run_job(self, data: Data, request: gr.Request, bar: gr.Progress = BAR) -> list[Any]:
        session = self.sessions.find(_tab(request))
        if session is None:
            return [*clear_outputs(None), ""]
        inputs = [Path(file) for file in data[self.layout.files] or []]
        inputs += [Path(data[box]) for box in (self.layout.webcam, self.layout.file) if data[box]]
        try:
            job = self.layout.request(data)
            job.check(self.limits)
            person = session.checked
            left = person and self.runner.expected_seconds(job, person, session.person)
            progress = self._progress(bar, session, left)
            with self.queue.turn(progress), self.sessions.writing(_tab(request)):
                folder = self.sessions.begin(_tab(request))
                session.person = self.runner.make_person(job, session.person, progress)
                session.last = self.runner.make_video(session.person, job, folder, progress)
                saved = session.person.save(folder / f"{job.images[0].stem}{PERSON}")
            notes = [shorten_paths(note, inputs) for note in session.last.notes]
            return [*show_result(session.last, session.earlier, saved, notes), ""]
        except JobStopped:
            return [*clear_outputs(session.earlier), show_error("Stopped.")]
        except HeadmimeError as error:
            message = self._describe_error(str(error), inputs, session)
            return [*clear_outputs(session.last or session.earlier), message]

    def _make_gif(self, request: gr.Request, bar: gr.Progress = BAR) -> list[Any]:
        """Write the GIF of the last result, if there is one."""
        session = self.sessions.find(_tab(request))
        if session is None or session.last is None or session.last.animation.still:
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

    def _describe_error(self, sentence: str, files: Sequence[Path], session: Session) -> str:
        """HTML of an error sentence, with thumbnails of the files it names."""
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
