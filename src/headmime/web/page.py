"""What happens when the parts of the page are used, and the files that are shown there only."""

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
from headmime.web.uploads import Limits, check_clip, check_sources, look

TITLE = "headmime"
ONE_AT_A_TIME = "jobs"
THUMBNAIL, PORTRAIT, DRAWN = 320, 512, 256  # pixels of the longer side


class Page:
    """The page's parts. `blocks` is what gradio serves."""

    def __init__(self, runner: JobRunner, sessions: Sessions, limits: Limits) -> None:
        self.runner, self.sessions, self.limits = runner, sessions, limits
        with gr.Blocks(
            title=TITLE, analytics_enabled=False, delete_cache=(300, 3600)
        ) as self.blocks:
            self._connect(Layout(limits))

    def _connect(self, parts: Layout) -> None:
        quick: dict[str, Any] = {
            "queue": False,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        parts.files.change(self._dropped, parts.files, [parts.seen, *parts.trouble], **quick)
        parts.video.change(self._filmed, parts.video, parts.trouble, **quick)
        parts.motion.change(
            lambda motion: gr.update(visible=motion == OWN_VIDEO),
            parts.motion,
            parts.video,
            **quick,
        )
        parts.make.click(self._pressed, None, [*parts.outputs, *parts.trouble], **quick).then(
            self._job,
            [parts.files, parts.motion, parts.video, parts.output, parts.better, parts.consent],
            [*parts.outputs, *parts.trouble],
            concurrency_limit=1,
            concurrency_id=ONE_AT_A_TIME,
            trigger_mode="once",
            show_progress_on=parts.result,
            api_visibility="private",
        ).success(
            self._gif,
            None,
            [parts.gif, parts.notes],
            concurrency_limit=1,
            concurrency_id=ONE_AT_A_TIME,
            show_progress_on=parts.gif,
            api_visibility="private",
        )
        parts.stop.click(self._stopped, None, None, **quick)
        for button, name in parts.examples:
            button.click(
                lambda name=name: ([str(MONA_LISA)], name, "public-domain"),
                None,
                [parts.files, parts.motion, parts.consent],
                **quick,
            )
        self.blocks.unload(self._closed)

    def _dropped(self, files: list[str] | None, request: gr.Request) -> list[Any]:
        paths = [Path(file) for file in files or []]
        session = self.sessions.get_or_create(request.session_hash)
        session.uploads.update(_uploads(paths))
        if not paths:
            return [gr.update(visible=False, value=None), *_no_trouble()]
        try:
            check_sources(paths, self.limits)
            pictures = [self._thumbnail(path, session) for path in paths]
        except HeadmimeError as error:
            told = self._told(str(error), paths, session)
            return [gr.update(visible=False, value=None), *told]
        return [gr.update(visible=True, value=pictures), *_no_trouble()]

    def _filmed(self, video: str | None, request: gr.Request) -> list[Any]:
        if video is None:
            return _no_trouble()
        session = self.sessions.get_or_create(request.session_hash)
        session.uploads.update(_uploads([Path(video)]))
        try:
            check_clip(Path(video), self.limits)
        except HeadmimeError as error:
            return self._told(str(error), [Path(video)], session)
        return _no_trouble()

    def _pressed(self, request: gr.Request) -> list[Any]:
        self.sessions.get_or_create(request.session_hash).stop.clear()
        return [*_nothing(), *_no_trouble()]

    def _stopped(self, request: gr.Request) -> None:
        self.sessions.get_or_create(request.session_hash).stop.set()

    def _closed(self, request: gr.Request) -> None:
        self.sessions.close(request.session_hash)

    def _job(
        self,
        files: list[str] | None,
        motion: str,
        video: str | None,
        output: str,
        better: bool,
        consent: str | None,
        request: gr.Request,
        bar: gr.Progress = gr.Progress(),  # noqa: B008 (gradio looks for it here)
    ) -> list[Any]:
        paths = [Path(file) for file in files or []]
        given = [*paths, *([Path(video)] if video else [])]
        try:
            session = self.sessions.begin(request.session_hash)
        except JobStopped:
            return [*_nothing(), *_problem("Stopped.")]
        try:
            progress, session.last = _progress(bar, session), None
            order = self._order(paths, motion, video, output, better, consent)
            session.kept = self.runner.learn(order, session.kept, progress)
            made = self.runner.make(session.kept, order, session.results, progress)
            session.last = made
            return [*self._shown(made, order, session, given), *_no_trouble()]
        except JobStopped:
            return [*_nothing(), *_problem("Stopped.")]
        except HeadmimeError as error:
            return [*_nothing(), *self._told(str(error), given, session)]

    def _gif(
        self,
        request: gr.Request,
        bar: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> list[Any]:
        """The GIF of what was just made, if anything was."""
        session = self.sessions.find(request.session_hash)
        if session is None or session.last is None:
            return [gr.skip(), gr.skip()]
        try:
            gif = self.runner.gif(session.last, _progress(bar, session))
            return [gr.update(value=gif, interactive=True), gr.skip()]
        except JobStopped:
            return [gr.skip(), gr.skip()]
        except HeadmimeError as error:
            return [gr.skip(), _paragraphs([*session.last.notes, str(error)])]

    def _order(
        self,
        pictures: Sequence[Path],
        motion: str,
        video: str | None,
        output: str,
        better: bool,
        consent: str | None,
    ) -> JobRequest:
        """What was asked for. HeadmimeError for what is missing or too much."""
        check_sources(pictures, self.limits)
        if motion == OWN_VIDEO:
            if video is None:
                raise HeadmimeError("There is no video yet: upload one, or record yourself.")
            check_clip(Path(video), self.limits)
        if not consent:
            raise HeadmimeError("Please say why you may animate this person.")
        driving = video if motion == OWN_VIDEO and video else motion
        return JobRequest(tuple(pictures), driving, output, better, consent)

    def _shown(
        self, made: JobResult, order: JobRequest, session: Session, given: list[Path]
    ) -> list[Any]:
        portrait = save_picture(
            made.animation.person.portrait, session.seen / "portrait.png", PORTRAIT
        )
        driving = driving_preview(order.driving, self.sessions.results, self.runner.marks)
        notes = _paragraphs([_named(note, given) for note in made.notes])
        mp4 = gr.update(value=made.video, interactive=True)
        return [made.video, mp4, gr.skip(), portrait, driving, notes]

    def _told(self, sentence: str, files: Sequence[Path], session: Session) -> list[Any]:
        """A problem, with the pictures that it is about."""
        pictures = []
        for file in files:
            if str(file) in sentence:
                try:
                    pictures.append((self._thumbnail(file, session), file.name))
                except HeadmimeError:
                    continue  # this very problem
        return _problem(_named(sentence, files), pictures)

    def _thumbnail(self, file: Path, session: Session) -> Path:
        name = hashlib.sha256(str(file).encode()).hexdigest()
        path = session.seen / f"{name}.png"
        return path if path.is_file() else save_picture(look(file, self.limits), path, THUMBNAIL)


def _problem(sentence: str, pictures: Sequence[tuple[Path, str]] = ()) -> list[Any]:
    """A sentence, and pictures with their names."""
    told = f'<p role="alert">{html.escape(sentence)}</p>'
    return [gr.update(visible=True), told, gr.update(value=pictures, visible=bool(pictures))]


def _no_trouble() -> list[Any]:
    return [gr.update(visible=False), "", gr.update(value=None, visible=False)]


def _nothing() -> list[Any]:
    """No result."""
    off = gr.update(value=None, interactive=False)
    return [None, off, off, None, None, ""]


def _progress(bar: gr.Progress, session: Session) -> Progress:
    return Progress(lambda share, text: bar(share, desc=text), session.stop)


def _paragraphs(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)


def _named(sentence: str, files: Sequence[Path]) -> str:
    """The sentence with names of files as the user knows them."""
    for file in files:
        sentence = sentence.replace(str(file), file.name)
    return sentence


def _uploads(files: Sequence[Path]) -> list[Path]:
    """Files that came from the browser, and not from this package."""
    return [file for file in files if ASSETS not in file.parents]


def save_picture(picture: np.ndarray, path: Path, side: int) -> Path:
    """Write uint8 RGB [H, W, 3] as a PNG whose longer side is `side` pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    Image.fromarray(resize(picture, width, height)).save(path)
    return path


def driving_preview(driving: str | Path, folder: Path, marks: ProvenanceOptions) -> Path:
    """A video as it is; the landmarks of a template drawn, once, into a video in `folder`."""
    file = find_driving(driving)
    if file.suffix.lower() != TEMPLATE:
        return file
    path = folder / f"{file.stem}.mp4"
    if not path.is_file():
        write_drawing(path, load_template(file), DRAWN, marks)
    return path
