"""Jobs of the page: request -> person -> video and GIF, with progress."""

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

import headmime
from headmime.animate.animation import Animation
from headmime.animate.model import Model
from headmime.animate.person import Person
from headmime.files import sha256
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings
from headmime.pretrained.frozen import Frozen
from headmime.provenance.statement import ProvenanceOptions

VIDEO_SIDE, GIF_SIDE = 1280, 480  # pixels of the longer side, at most
LEARNING, READING, FRAMES, WHOLE, GIF = "learning", "reading", "frames", "whole", "gif"
"""Names of paces: an update of fine-tuning, a frame of a driving video, of a result, of a GIF."""


@dataclass(frozen=True)
class JobRequest:
    """The user's inputs.

    `driving`: a file or a bundled motion; `output`: crop or full; `finetune`: False is
    feed-forward.
    """

    images: tuple[Path, ...]
    driving: str | Path
    output: str
    finetune: bool
    consent: str


@dataclass(frozen=True)
class CachedPerson:
    """A person and a hash of the inputs, to reuse it for another motion."""

    key: str
    person: Person
    notes: list[str]


@dataclass(frozen=True)
class JobResult:
    """Output of a job. `notes`: warnings for the user."""

    video: Path
    animation: Animation
    notes: list[str]


@dataclass(frozen=True)
class JobRunner:
    """Settings shared by all jobs. `perceptual` loads the frozen networks of L_CNT on first use."""

    weights: str
    device: str
    finetune: FineTuneSettings
    perceptual: Callable[[], Frozen]
    detector: Detector | None
    marks: ProvenanceOptions

    @cached_property
    def model(self) -> Model:
        """The meta-learned networks."""
        return headmime.load(self.weights, self.device)

    @cached_property
    def frozen(self) -> Frozen:
        """The frozen networks of L_CNT."""
        return self.perceptual()

    def make_person(
        self, request: JobRequest, cached: CachedPerson | None, progress: Progress
    ) -> CachedPerson:
        """Create the requested person; returns `cached` if the inputs are the same.

        Raises HeadmimeError for unusable images, JobStopped if the job was cancelled.
        """
        key = _key(request)
        if cached is not None and cached.key == key:
            return cached
        progress.start("Detecting the face")
        frozen = self.frozen if request.finetune else None
        with _notes() as notes:
            person = headmime.personalise(
                self.model,
                request.images,
                finetune=self.finetune if request.finetune else None,
                perceptual=frozen,
                consent=request.consent,
                detector=self.detector,
                on_step=progress.counter("Fine-tuning, step"),
            )
        return CachedPerson(key, person, notes)

    def make_video(
        self, cached: CachedPerson, request: JobRequest, folder: Path, progress: Progress
    ) -> JobResult:
        """Animate the person and write the video to `folder`. Raises as `make_person` does."""
        with _notes() as notes:
            animation = headmime.animate(
                cached.person,
                request.driving,
                detector=self.detector,
                on_frame=progress.counter("Reading the motion"),
                output=request.output,
            )
            video = headmime.save(
                animation,
                folder / VIDEO,
                min(animation.viewing_size, VIDEO_SIDE),
                progress.counter("Frames"),
                self.marks,
            )
        return JobResult(video, animation, [*cached.notes, *notes])

    def make_gif(self, result: JobResult, progress: Progress) -> Path:
        """Write a GIF beside the video. HeadmimeError if it is too long."""
        return headmime.save(
            result.animation,
            result.video.with_name(GIF),
            min(result.animation.viewing_size, GIF_SIDE),
            progress.counter("GIF"),
            self.marks,
        )


def _key(request: JobRequest) -> str:
    """Hash of all inputs that determine the person."""
    total = hashlib.sha256(f"{request.finetune} {request.consent}".encode())
    for file in request.images:
        total.update(bytes.fromhex(sha256(file)))
    return total.hexdigest()


class _Notes(logging.Handler):
    """Collects the warnings of one thread; each job runs in its own."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.sentences.append(record.getMessage())


@contextmanager
def _notes() -> Iterator[list[str]]:
    """Collect the API's warnings: skipped files, several faces, lost faces."""
    handler, log = _Notes(), logging.getLogger("headmime")
    log.addHandler(handler)
    try:
        yield handler.sentences
    finally:
        log.removeHandler(handler)
