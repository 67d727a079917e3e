"""Jobs of the page: request -> person -> result and GIF, with progress and expected times."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import headmime
from headmime.animate.animation import Animation
from headmime.animate.api import choose_detector
from headmime.animate.driving import TEMPLATE, load_video, write_template
from headmime.animate.model import Model
from headmime.animate.person import Person, load_person
from headmime.animate.sources import MAX_FRAMES, load_sources
from headmime.assets import MONA_LISA
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings
from headmime.nets.checkpoint import join_files
from headmime.pretrained.frozen import Frozen
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.progress import Progress
from headmime.web.request import VIDEO_SIDE, Checked, JobRequest
from headmime.web.uploads import PERSON

GIF_SIDE = 480  # pixels of the longer side, at most
# Names of paces: an update of fine-tuning; a frame of a driving video, of a result, of a GIF.
LEARNING, READING, FRAMES, GIF = "learning", "reading", "frames of {} at {} pixels", "gif"


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
    """Output of a job: a video, or the image that an image drives. `notes`: warnings."""

    file: Path
    animation: Animation
    notes: list[str]

    @property
    def caption(self) -> str:
        """Size and frame rate."""
        fps = "" if self.animation.still else f", {float(self.animation.fps):g} frames/s"
        return f"{min(self.animation.viewing_size, VIDEO_SIDE)} pixels{fps}"


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

    def check_person(self, files: Sequence[Path]) -> Checked:
        """Read a saved person, or detect the face. HeadmimeError without a usable image."""
        if files[0].suffix.lower() == PERSON:
            return Checked(1, load_person(files[0]).shape.image_size)
        with self._checking, _notes() as notes:
            size = self.model.shape.image_size
            sources = load_sources(files, MAX_FRAMES, size, self._second_detector)
            return Checked(len(sources.frames), size, sources.scene, notes)

    def expected_seconds(
        self, request: JobRequest, person: Checked, cached: CachedPerson | None = None
    ) -> float | None:
        """Expected time of a job; None if unknown."""
        read, made = request.length()
        learn = request.finetune and not request.is_saved_person
        if cached is not None and learn:
            learn = cached.key != request.key
        steps = {
            LEARNING: self.finetune.steps(person.frames) if learn else 0,
            READING: read,
            FRAMES.format(request.output, person.size): made,
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
        pace = FRAMES.format(request.output, cached.person.shape.image_size)
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
            end = ".png" if animation.still else f"-{float(animation.fps):g}fps.mp4"
            file = folder / f"{request.name}-{size}px{end}"
            headmime.save(animation, file, size, progress.counter("Frames", pace), self.marks)
        return JobResult(file, animation, [*cached.notes, *notes])

    def make_gif(self, result: JobResult, progress: Progress) -> Path:
        """Write a GIF beside the video. HeadmimeError if it is too long."""
        return headmime.save(
            result.animation,
            result.file.with_suffix(".gif"),
            min(result.animation.viewing_size, GIF_SIDE),
            progress.counter("GIF", GIF),
            self.marks,
        )

    def make_template(
        self, video: Path, start: float, end: float | None, folder: Path, progress: Progress
    ) -> Path:
        """Write the motion of a video, from `start` to `end` seconds, as landmarks alone."""
        detector = choose_detector(self.detector, self.model.detector)
        on_frame = progress.counter("Reading the motion", READING)
        driving = load_video(video, detector, on_frame, start, end)
        return write_template(folder / f"{video.stem}{TEMPLATE}", driving)

    def _video_seconds(self, request: JobRequest) -> float:
        person = Checked(1, self.model.shape.image_size)
        return self.expected_seconds(replace(request, finetune=False), person) or 0.0


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
