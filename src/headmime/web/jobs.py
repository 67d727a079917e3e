"""Jobs: an order from the page -> a person -> a video, a GIF; and how far they have come."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any

from torch import nn

import headmime
from headmime.animate.animation import Animation
from headmime.animate.model import Model
from headmime.animate.person import Person
from headmime.files import sha256
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings
from headmime.provenance.statement import ProvenanceOptions

Tell = Callable[[float, str], None]
"""Called with (the share that is done, a sentence)."""

VIDEO, GIF = "headmime.mp4", "headmime.gif"
VIDEO_SIDE, GIF_SIDE = 1280, 480  # pixels of the longer side, at most


class JobStopped(Exception):
    """Somebody pressed Stop or closed the page."""


class Progress:
    """Callbacks for the API: each step is told with the time that is left, unless `stop` is set."""

    def __init__(self, tell: Tell, stop: threading.Event) -> None:
        self._tell = tell
        self._stop = stop

    def say(self, text: str) -> None:
        """The beginning of something that cannot be counted. Raises Stopped."""
        if self._stop.is_set():
            raise JobStopped
        self._tell(0.0, text)

    def counted(self, text: str) -> Callable[..., None]:
        """A callback that takes (done, in all or None) and whatever else comes with them."""
        began = monotonic()

        def on_step(done: int, total: int | None, *_: Any) -> None:
            if self._stop.is_set():
                raise JobStopped
            if total is None:
                self._tell(0.0, f"{text}: {done}")
                return
            left = time_left(done, total, monotonic() - began)
            self._tell(min(done / total, 1), f"{text}: {done} of {max(done, total)}{left}")

        return on_step


def time_left(done: int, total: int, seconds: float) -> str:
    """`, about 20 s left` after `seconds` for `done` of `total` steps; "" where nobody can know."""
    if seconds < 1 or not 0 < done < total:
        return ""
    left = seconds * (total - done) / done
    if left < 100:
        return f", about {max(1, round(left))} s left"
    return f", about {round(left / 60)} min left"


@dataclass(frozen=True)
class JobRequest:
    """What somebody asks for.

    `driving`: a file or a bundled motion; `output`: crop or full; `better`: fine-tuned.
    """

    pictures: tuple[Path, ...]
    driving: str | Path
    output: str
    better: bool
    consent: str


@dataclass(frozen=True)
class CachedPerson:
    """A person, and a hash of what they were made from: another motion need not learn again."""

    key: str
    person: Person
    notes: list[str]


@dataclass(frozen=True)
class JobResult:
    """What a job gives. `notes`: what to know of it."""

    video: Path
    animation: Animation
    notes: list[str]


@dataclass(frozen=True)
class JobRunner:
    """What jobs have in common. `perceptual` makes the frozen networks of L_CNT, at first use."""

    weights: str
    device: str
    finetune: FineTuneSettings
    perceptual: Callable[[], nn.Module]
    detector: Detector | None
    marks: ProvenanceOptions

    @cached_property
    def model(self) -> Model:
        """The meta-learned networks."""
        return headmime.load(self.weights, self.device)

    @cached_property
    def frozen(self) -> nn.Module:
        """The frozen networks of L_CNT."""
        return self.perceptual()

    def learn(
        self, order: JobRequest, kept: CachedPerson | None, progress: Progress
    ) -> CachedPerson:
        """The person of the order; `kept` if it is the same one.

        Raises HeadmimeError for what is wrong with the pictures, Stopped if it is not wanted any
        more.
        """
        key = _key(order)
        if kept is not None and kept.key == key:
            return kept
        progress.say("Looking for the face")
        frozen = self.frozen if order.better else None
        with _notes() as notes:
            person = headmime.personalise(
                self.model,
                order.pictures,
                finetune=self.finetune if order.better else None,
                perceptual=frozen,
                consent=order.consent,
                detector=self.detector,
                on_step=progress.counted("Fine-tuning, step"),
            )
        return CachedPerson(key, person, notes)

    def make(
        self, kept: CachedPerson, order: JobRequest, folder: Path, progress: Progress
    ) -> JobResult:
        """Animate the person and write the video to `folder`. Raises as `learn` does."""
        with _notes() as notes:
            animation = headmime.animate(
                kept.person,
                order.driving,
                detector=self.detector,
                on_frame=progress.counted("Reading the motion"),
                output=order.output,
            )
            video = headmime.save(
                animation,
                folder / VIDEO,
                min(animation.viewing_size, VIDEO_SIDE),
                progress.counted("Frames"),
                self.marks,
            )
        return JobResult(video, animation, [*kept.notes, *notes])

    def gif(self, made: JobResult, progress: Progress) -> Path:
        """Write the GIF beside the video. HeadmimeError where it is too long for one."""
        return headmime.save(
            made.animation,
            made.video.with_name(GIF),
            min(made.animation.viewing_size, GIF_SIDE),
            progress.counted("GIF"),
            self.marks,
        )


def _key(order: JobRequest) -> str:
    """A hash of all that makes the person."""
    total = hashlib.sha256(f"{order.better} {order.consent}".encode())
    for file in order.pictures:
        total.update(bytes.fromhex(sha256(file)))
    return total.hexdigest()


class _Notes(logging.Handler):
    """Collects the warnings of one thread: each job runs in its own."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.sentences.append(record.getMessage())


@contextmanager
def _notes() -> Iterator[list[str]]:
    """What the API warns of meanwhile: files that are left out, several faces, lost faces."""
    handler, log = _Notes(), logging.getLogger("headmime")
    log.addHandler(handler)
    try:
        yield handler.sentences
    finally:
        log.removeHandler(handler)
