"""Generate a frame for each face observation, by relative motion of the person's face."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic

import numpy as np

from headmime.animate.motion import most_similar_frame, relative_motion
from headmime.animate.person import Person
from headmime.animate.strength import AS_DRIVEN, Strength
from headmime.images import resize
from headmime.landmarks.crop import Crop, crop_box
from headmime.live.landmark_worker import FaceObservation
from headmime.live.one_euro_filter import OneEuroFilter
from headmime.live.throughput import Stopwatch, Throughput

REFERENCE_CANDIDATES = 40  # observations from which the reference is chosen
EASING = 0.15  # share of the way to a better reference per observation, to avoid visible jumps

Show = Callable[[np.ndarray, float], bool]
"""Called with (frame uint8 [size, size, 3], capture time); returns False to end."""
Report = Callable[[Throughput], None]
REPORT_INTERVAL = 1.0  # seconds


@dataclass(frozen=True)
class PlayedFrame:
    """A frame uint8 [S, S, 3] for the observation at `taken`, finished at `ready`.

    Monotonic seconds. `has_face`: False if no face was found and the previous frame is repeated.
    """

    frame: np.ndarray
    taken: float
    ready: float
    has_face: bool
    dropped: int


class MotionReference:
    """Reference face of the driver, from which relative motion is measured.

    Starts with the first face; within the first `REFERENCE_CANDIDATES` faces it moves gradually to
    the one most similar to the person's neutral face.
    """

    def __init__(self, own: np.ndarray) -> None:
        self._own = own
        self._faces: list[np.ndarray] = []
        self._current: np.ndarray | None = None
        self._best = own

    def __call__(self, face: np.ndarray) -> np.ndarray:
        """Driver's face -> current reference, both [68, 2] in crop coordinates."""
        if len(self._faces) < REFERENCE_CANDIDATES:
            self._faces.append(face)
            self._best = self._faces[most_similar_frame(np.stack(self._faces), self._own)]
        current = (
            face if self._current is None else self._current + EASING * (self._best - self._current)
        )
        self._current = current
        return current

    def reset(self) -> None:
        """Choose a new reference, starting with the next face."""
        self._faces.clear()


class LiveAnimator:
    """Animates `person` with face observations."""

    def __init__(self, person: Person, strength: Strength = AS_DRIVEN) -> None:
        self._person, self._strength = person, strength
        self._reference = MotionReference(person.neutral)
        self._filter = OneEuroFilter()
        self._crop: Crop | None = None
        self._frame = person.animator(person.neutral[None])[0]

    def reset(self) -> None:
        """Take the driver's current face as the reference."""
        self._reference.reset()

    def play(self, observations: Iterable[FaceObservation]) -> Iterator[PlayedFrame]:
        """Yield a frame for each observation."""
        for observation in observations:
            if observation.pixels is not None:
                self._frame = self._generate(observation.pixels, observation.taken)
            yield PlayedFrame(
                self._frame,
                observation.taken,
                monotonic(),
                observation.pixels is not None,
                observation.dropped,
            )

    def _generate(self, pixels: np.ndarray, taken: float) -> np.ndarray:
        if self._crop is None:
            self._crop = crop_box(pixels[None])
        face = self._filter(self._crop.to_crop(pixels), taken)
        landmarks = relative_motion(
            face[None], self._reference(face), self._person.neutral, self._strength
        )
        return self._person.animator(landmarks)[0]


def run_live(
    animator: LiveAnimator,
    observations: Iterable[FaceObservation],
    size: int,
    show: Show,
    report: Report,
) -> Throughput:
    """Show a frame of `size` pixels for each observation; return the throughput.

    Ends with the observations, when `show` returns False, or on Ctrl-C.
    """
    stopwatch, reported = Stopwatch(), monotonic()
    try:
        for played in animator.play(observations):
            go_on = show(resize(played.frame, size), played.taken)
            now = monotonic()
            stopwatch.record(played.taken, now, played.dropped)
            if now - reported >= REPORT_INTERVAL:
                reported = now
                report(stopwatch.recent())
            if not go_on:
                break
    except KeyboardInterrupt:
        pass
    return stopwatch.all()
