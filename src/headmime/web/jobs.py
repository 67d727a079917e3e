"""Jobs of the page: request -> person -> video and GIF, with progress and expected times."""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import headmime
from headmime.animate.animation import Animation
from headmime.animate.driving import TEMPLATE, find_driving, load_template
from headmime.animate.model import Model
from headmime.animate.person import Person, load_person
from headmime.animate.sources import MAX_FRAMES, Sources, load_sources
from headmime.animate.strength import Strength
from headmime.assets import MONA_LISA
from headmime.data.video_reader import read_video_info
from headmime.files import sha256
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings
from headmime.nets.checkpoint import join_files
from headmime.pretrained.frozen import Frozen
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.progress import Progress
from headmime.web.uploads import PERSON

VIDEO_SIDE, GIF_SIDE = 1280, 480  # pixels of the longer side, at most
# Names of paces: an update of fine-tuning; a frame of a driving video, of a result, of a GIF.
LEARNING, READING, FRAMES, GIF = "learning", "reading", "frames of ", "gif"


@dataclass(frozen=True)
class JobRequest:
    """The user's inputs.

    `images`: of the person, or one file of a saved person; `driving`: a file or a bundled motion,
    from `start` to `end` seconds; `output`: crop or full; `finetune`: False is feed-forward.
    """

    images: tuple[Path, ...]
    driving: str | Path
    output: str
    finetune: bool
    consent: str | None
    start: float = 0.0
    end: float | None = None
    motion: str = "relative"
    strength: Strength = field(default_factory=Strength)

    @property
    def is_saved_person(self) -> bool:
        """Whether the person was learned before."""
        return self.images[0].suffix.lower() == PERSON

    @property
    def name(self) -> str:
        """Stem of the results' names: image and motion."""
        return re.sub(r"[^\w-]+", "_", f"{self.images[0].stem}-{Path(self.driving).stem}")

    @property
    def key(self) -> str:
        """Hash of all inputs that determine the person."""
        total = hashlib.sha256(f"{self.finetune} {self.consent}".encode())
        for file in self.images:
            total.update(bytes.fromhex(sha256(file)))
        return total.hexdigest()

    def length(self) -> tuple[int, int]:
        """Number of the driving's frames that are read, and of those that are made."""
        file = find_driving(self.driving)
        if file.suffix.lower() == TEMPLATE:
            driving = load_template(file)
            count, fps = len(driving.landmarks), driving.fps
        else:
            info = read_video_info(file)
            count, fps = info.frames, info.fps
        last = count if self.end is None else min(count, round(self.end * fps))
        made = max(0, last - round(self.start * fps))
        return 0 if file.suffix.lower() == TEMPLATE else last, made


@dataclass(frozen=True)
class CachedPerson:
    """A person and a hash of the inputs, to reuse it for another motion."""

    key: str
    person: Person
    notes: list[str]

    def save(self, path: Path) -> Path:
        """Write the person to one file, without images."""
        parts = path.parent / "parts"
        self.person.save(parts)
        return join_files(parts, path)


@dataclass(frozen=True)
class JobResult:
    """Output of a job. `notes`: warnings for the user."""

    video: Path
    animation: Animation
    notes: list[str]

    @property
    def caption(self) -> str:
        """Size and frame rate."""
        side = min(self.animation.viewing_size, VIDEO_SIDE)
        return f"{side} pixels, {float(self.animation.fps):g} frames/s"


@dataclass(frozen=True)
class JobRunner:
    """Settings shared by all jobs. `perceptual` loads the frozen networks of L_CNT on first use;
    `paces`: expected seconds of the steps of a job, see `Progress`.
    """

    weights: str
    device: str
    finetune: FineTuneSettings
    perceptual: Callable[[], Frozen]
    detector: Detector | None
    marks: ProvenanceOptions
    paces: dict[str, float] = field(default_factory=dict)

    @cached_property
    def model(self) -> Model:
        """The meta-learned networks."""
        return headmime.load(self.weights, self.device)

    @cached_property
    def frozen(self) -> Frozen:
        """The frozen networks of L_CNT."""
        return self.perceptual()

    @cached_property
    def _checking(self) -> threading.Lock:
        return threading.Lock()

    @cached_property
    def _second_detector(self) -> Detector:
        """For uploads that are checked while a job uses the first one."""
        return load_detector(self.model.detector)

    def measure_paces(self, folder: Path) -> None:
        """Time a few updates and frames on this machine, for the first user's estimates."""
        few = replace(self.finetune, epochs=0, minimum_steps=4, maximum_steps=4)
        progress = Progress(lambda *_: None, threading.Event(), self.paces)
        request = JobRequest((MONA_LISA,), "turn", "crop", True, "public-domain", end=0.8)
        person = self.make_person(request, None, progress, few)
        for output in ("crop", "full"):
            self.make_video(person, replace(request, output=output), folder, progress)

    def check_person(self, images: Sequence[Path]) -> tuple[Sources, list[str]]:
        """Detect the person's face: frames, and warnings. HeadmimeError without a usable image."""
        with self._checking, _notes() as notes:
            size = self.model.shape.image_size
            return load_sources(images, MAX_FRAMES, size, self._second_detector), notes

    def expected_seconds(
        self, request: JobRequest, images: int, cached: CachedPerson | None
    ) -> float | None:
        """Expected time of a job with so many images of the person; None if unknown."""
        read, made = request.length()
        learn = request.finetune and not request.is_saved_person
        if cached is not None and learn:
            learn = cached.key != request.key
        steps = {
            LEARNING: self.finetune.steps(images) if learn else 0,
            READING: read,
            FRAMES + request.output: made,
        }
        if any(count and name not in self.paces for name, count in steps.items()):
            return None
        return sum(count * self.paces[name] for name, count in steps.items() if count)

    def make_person(
        self,
        request: JobRequest,
        cached: CachedPerson | None,
        progress: Progress,
        settings: FineTuneSettings | None = None,
    ) -> CachedPerson:
        """Create the requested person; returns `cached` if the inputs are the same. `settings`:
        instead of `finetune`.

        Raises HeadmimeError for unusable images, JobStopped if the job was cancelled.
        """
        if cached is not None and cached.key == request.key:
            return cached
        if request.is_saved_person:
            return CachedPerson(request.key, load_person(request.images[0], self.device), [])
        progress.start("Detecting the face")
        with _notes() as notes:
            person = headmime.personalise(
                self.model,
                request.images,
                finetune=(settings or self.finetune) if request.finetune else None,
                perceptual=self.frozen if request.finetune else None,
                consent=request.consent,
                detector=self.detector,
                on_step=progress.counter(
                    "Fine-tuning, step", LEARNING, self._video_seconds(request)
                ),
            )
        return CachedPerson(request.key, person, notes)

    def make_video(
        self, cached: CachedPerson, request: JobRequest, folder: Path, progress: Progress
    ) -> JobResult:
        """Animate the person and write the video to `folder`. Raises as `make_person` does."""
        _, made = request.length()
        pace = FRAMES + request.output
        with _notes() as notes:
            animation = headmime.animate(
                cached.person,
                request.driving,
                request.motion,
                self.detector,
                progress.counter("Reading the motion", READING, made * self.paces.get(pace, 0)),
                output=request.output,
                start=request.start,
                end=request.end,
                strength=request.strength,
            )
            size = min(animation.viewing_size, VIDEO_SIDE)
            name = f"{request.name}-{size}px-{float(animation.fps):g}fps.mp4"
            on_frame = progress.counter("Frames", pace)
            video = headmime.save(animation, folder / name, size, on_frame, self.marks)
        return JobResult(video, animation, [*cached.notes, *notes])

    def make_gif(self, result: JobResult, progress: Progress) -> Path:
        """Write a GIF beside the video. HeadmimeError if it is too long."""
        return headmime.save(
            result.animation,
            result.video.with_suffix(".gif"),
            min(result.animation.viewing_size, GIF_SIDE),
            progress.counter("GIF", GIF),
            self.marks,
        )

    def _video_seconds(self, request: JobRequest) -> float:
        return self.expected_seconds(replace(request, finetune=False), 1, None) or 0.0


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
