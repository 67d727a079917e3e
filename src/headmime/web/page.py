"""Event handlers of the page, and its preview files."""

import hashlib
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from headmime.animate.driving import TEMPLATE, find_driving, load_template, write_drawing
from headmime.assets import ASSETS, MONA_LISA
from headmime.errors import HeadmimeError
from headmime.images import resize
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.jobs import JobRequest, JobResult, JobRunner, JobStopped, Progress
from headmime.web.layout import OWN_VIDEO, Layout
from headmime.web.sessions import Session, Sessions
from headmime.web.uploads import Limits, check_clip, check_sources, first_frame

TITLE = "headmime"
ONE_AT_A_TIME = "jobs"
THUMBNAIL, PORTRAIT, DRAWING = 320, 512, 256  # pixels of the longer side


class Page:
    """The page's components and handlers. `blocks` is the gradio app."""

    def __init__(self, runner: JobRunner, sessions: Sessions, limits: Limits) -> None:
        self.runner, self.sessions, self.limits = runner, sessions, limits
        with gr.Blocks(
            title=TITLE, analytics_enabled=False, delete_cache=(300, 3600)
        ) as self.blocks:
            self._connect(Layout(limits))

    def _connect(self, layout: Layout) -> None:
        quick: dict[str, Any] = {
            "queue": False,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        layout.files.change(
            self._on_files, layout.files, [layout.thumbnails, *layout.error], **quick
        )
        layout.video.change(self._on_video, layout.video, layout.error, **quick)
        layout.motion.change(
            lambda motion: gr.update(visible=motion == OWN_VIDEO),
            layout.motion,
            layout.video,
            **quick,
        )
        layout.make.click(self._on_make, None, [*layout.outputs, *layout.error], **quick).then(
            self._run_job,
            [
                layout.files,
                layout.motion,
                layout.video,
                layout.output,
                layout.quality,
                layout.consent,
            ],
            [*layout.outputs, *layout.error],
            concurrency_limit=1,
            concurrency_id=ONE_AT_A_TIME,
            trigger_mode="once",
            show_progress_on=layout.result,
            api_visibility="private",
        ).success(
            self._make_gif,
            None,
            [layout.gif, layout.notes],
            concurrency_limit=1,
            concurrency_id=ONE_AT_A_TIME,
            show_progress_on=layout.gif,
            api_visibility="private",
        )
        layout.stop.click(self._on_stop, None, None, **quick)
        for button, name in layout.examples:
            button.click(
                lambda name=name: ([str(MONA_LISA)], name, "public-domain"),
                None,
                [layout.files, layout.motion, layout.consent],
                **quick,
            )
        self.blocks.unload(self._on_close)

    def _on_files(self, files: list[str] | None, request: gr.Request) -> list[Any]:
        paths = [Path(file) for file in files or []]
        session = self.sessions.get_or_create(_tab(request))
        session.uploads.update(_uploaded(paths))
        if not paths:
            return [gr.update(visible=False, value=None), *_clear_error()]
        try:
            check_sources(paths, self.limits)
            thumbnails = [self._thumbnail(path, session) for path in paths]
        except HeadmimeError as error:
            message = self._describe_error(str(error), paths, session)
            return [gr.update(visible=False, value=None), *message]
        return [gr.update(visible=True, value=thumbnails), *_clear_error()]

    def _on_video(self, video: str | None, request: gr.Request) -> list[Any]:
        if video is None:
            return _clear_error()
        session = self.sessions.get_or_create(_tab(request))
        session.uploads.update(_uploaded([Path(video)]))
        try:
            check_clip(Path(video), self.limits)
        except HeadmimeError as error:
            return self._describe_error(str(error), [Path(video)], session)
        return _clear_error()

    def _on_make(self, request: gr.Request) -> list[Any]:
        self.sessions.get_or_create(_tab(request)).stop.clear()
        return [*_clear_outputs(), *_clear_error()]

    def _on_stop(self, request: gr.Request) -> None:
        self.sessions.get_or_create(_tab(request)).stop.set()

    def _on_close(self, request: gr.Request) -> None:
        self.sessions.close(_tab(request))

    def _run_job(
        self,
        files: list[str] | None,
        motion: str,
        video: str | None,
        output: str,
        finetune: bool,
        consent: str | None,
        request: gr.Request,
        bar: gr.Progress = gr.Progress(),  # noqa: B008 (required by gradio)
    ) -> list[Any]:
        paths = [Path(file) for file in files or []]
        inputs = [*paths, *([Path(video)] if video else [])]
        try:
            session = self.sessions.begin(_tab(request))
        except JobStopped:
            return [*_clear_outputs(), *_show_error("Stopped.")]
        try:
            progress, session.last = _progress(bar, session), None
            job = self._make_request(paths, motion, video, output, finetune, consent)
            session.person = self.runner.make_person(job, session.person, progress)
            result = self.runner.make_video(session.person, job, session.results, progress)
            session.last = result
            return [*self._show_result(result, job, session, inputs), *_clear_error()]
        except JobStopped:
            return [*_clear_outputs(), *_show_error("Stopped.")]
        except HeadmimeError as error:
            return [*_clear_outputs(), *self._describe_error(str(error), inputs, session)]

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
            gif = self.runner.make_gif(session.last, _progress(bar, session))
            return [gr.update(value=gif, interactive=True), gr.skip()]
        except JobStopped:
            return [gr.skip(), gr.skip()]
        except HeadmimeError as error:
            return [gr.skip(), _paragraphs([*session.last.notes, str(error)])]

    def _make_request(
        self,
        images: Sequence[Path],
        motion: str,
        video: str | None,
        output: str,
        finetune: bool,
        consent: str | None,
    ) -> JobRequest:
        """Build the request. HeadmimeError for missing or too large inputs."""
        check_sources(images, self.limits)
        if motion == OWN_VIDEO:
            if video is None:
                raise HeadmimeError("There is no video yet: upload one, or record yourself.")
            check_clip(Path(video), self.limits)
        if not consent:
            raise HeadmimeError("Please say why you may animate this person.")
        driving = video if motion == OWN_VIDEO and video else motion
        return JobRequest(tuple(images), driving, output, finetune, consent)

    def _show_result(
        self, result: JobResult, job: JobRequest, session: Session, inputs: list[Path]
    ) -> list[Any]:
        source = result.animation.person.portrait
        assert source is not None  # not loaded from a file
        portrait = save_image(source, session.thumbnails / "portrait.png", PORTRAIT)
        driving = driving_preview(job.driving, self.sessions.results, self.runner.marks)
        notes = _paragraphs([_shorten_paths(note, inputs) for note in result.notes])
        mp4 = gr.update(value=result.video, interactive=True)
        return [result.video, mp4, gr.skip(), portrait, driving, notes]

    def _describe_error(self, sentence: str, files: Sequence[Path], session: Session) -> list[Any]:
        """Updates for an error sentence, with thumbnails of the files it names."""
        thumbnails = []
        for file in files:
            if str(file) in sentence:
                try:
                    thumbnails.append((self._thumbnail(file, session), file.name))
                except HeadmimeError:
                    continue  # the file is unreadable: the error itself
        return _show_error(_shorten_paths(sentence, files), thumbnails)

    def _thumbnail(self, file: Path, session: Session) -> Path:
        name = hashlib.sha256(str(file).encode()).hexdigest()
        path = session.thumbnails / f"{name}.png"
        if path.is_file():
            return path
        return save_image(first_frame(file, self.limits), path, THUMBNAIL)


def _show_error(sentence: str, thumbnails: Sequence[tuple[Path, str]] = ()) -> list[Any]:
    """Updates for an error sentence and named thumbnails."""
    message = f'<p role="alert">{html.escape(sentence)}</p>'
    gallery = gr.update(value=thumbnails, visible=bool(thumbnails))
    return [gr.update(visible=True), message, gallery]


def _clear_error() -> list[Any]:
    return [gr.update(visible=False), "", gr.update(value=None, visible=False)]


def _clear_outputs() -> list[Any]:
    """Updates that remove the previous result."""
    off = gr.update(value=None, interactive=False)
    return [None, off, off, None, None, ""]


def _tab(request: gr.Request) -> str:
    """The browser's name for the tab that asks."""
    assert request.session_hash is not None
    return request.session_hash


def _progress(bar: gr.Progress, session: Session) -> Progress:
    return Progress(lambda share, text: bar(share, desc=text), session.stop)


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)


def _shorten_paths(sentence: str, files: Sequence[Path]) -> str:
    """Replace paths by the file names that the user knows."""
    for file in files:
        sentence = sentence.replace(str(file), file.name)
    return sentence


def _uploaded(files: Sequence[Path]) -> list[Path]:
    """Select files that were uploaded, not those of the package."""
    return [file for file in files if ASSETS not in file.parents]


def save_image(image: np.ndarray, path: Path, side: int) -> Path:
    """Write uint8 RGB [H, W, 3] as a PNG whose longer side is `side` pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scale = side / max(image.shape[:2])
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    Image.fromarray(resize(image, width, height)).save(path)
    return path


def driving_preview(driving: str | Path, folder: Path, marks: ProvenanceOptions) -> Path:
    """Path of a driving video, or of a drawing of a template's landmarks, cached in `folder`."""
    file = find_driving(driving)
    if file.suffix.lower() != TEMPLATE:
        return file
    path = folder / f"{file.stem}.mp4"
    if not path.is_file():
        write_drawing(path, load_template(file), DRAWING, marks)
    return path
