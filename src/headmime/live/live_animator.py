"""From what is seen to frames on the screen: each sight moves the person's own face."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic

import numpy as np

from headmime.animate.motion import most_similar_frame, relative_motion
from headmime.animate.person import Person
from headmime.images import resize
from headmime.landmarks.crop import Crop, crop_box
from headmime.live.landmark_worker import FaceObservation
from headmime.live.one_euro_filter import OneEuroFilter
from headmime.live.throughput import Stopwatch, Throughput

CHOOSING = 40  # sights from which the start is chosen
EASING = 0.15  # of the way to a better start, per sight: a jump would be seen

Show = Callable[[np.ndarray, float], bool]
"""Called with (frame uint8 [size, size, 3], when it was taken); False: that was the last one."""
Tell = Callable[[Throughput], None]
EVERY = 1.0  # seconds between two tellings


@dataclass(frozen=True)
class PlayedFrame:
    """A frame uint8 [S, S, 3] of what was seen at `taken`; `made`: when it was ready.

    Monotonic seconds. `seen`: whether there was a face; without one the frame before is repeated.
    """

    frame: np.ndarray
    taken: float
    made: float
    seen: bool
    dropped: int


class MotionReference:
    """The driver's face as it is where the person's is: what motion is measured against.

    At first the first face; within the first `CHOOSING` ones, gradually the one that looks most as
    the person does.
    """

    def __init__(self, own: np.ndarray) -> None:
        self._own = own
        self._faces: list[np.ndarray] = []
        self._now: np.ndarray | None = None
        self._best: np.ndarray | None = None

    def __call__(self, face: np.ndarray) -> np.ndarray:
        """A driver's face -> the start, both [68, 2] in crop coordinates."""
        if len(self._faces) < CHOOSING:
            self._faces.append(face)
            self._best = self._faces[most_similar_frame(np.stack(self._faces), self._own)]
        self._now = face if self._now is None else self._now + EASING * (self._best - self._now)
        return self._now

    def again(self) -> None:
        """Choose anew, from the next face on."""
        self._faces.clear()


class LiveAnimator:
    """`person` as a function of sights."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._start = MotionReference(person.neutral)
        self._steady = OneEuroFilter()
        self._crop: Crop | None = None
        self._frame = person.animator(person.neutral[None])[0]

    def again(self) -> None:
        """Take the driver's face as it is now for the start."""
        self._start.again()

    def play(self, sights: Iterable[FaceObservation]) -> Iterator[PlayedFrame]:
        """A frame for each sight."""
        for sight in sights:
            if sight.pixels is not None:
                self._frame = self._made(sight.pixels, sight.taken)
            yield PlayedFrame(
                self._frame, sight.taken, monotonic(), sight.pixels is not None, sight.dropped
            )

    def _made(self, pixels: np.ndarray, taken: float) -> np.ndarray:
        if self._crop is None:
            self._crop = crop_box(pixels[None])
        face = self._steady(self._crop.to_crop(pixels), taken)
        landmarks = relative_motion(face[None], self._start(face), self._person.neutral)
        return self._person.animator(landmarks)[0]


def run_live(
    animator: LiveAnimator, sights: Iterable[FaceObservation], size: int, show: Show, tell: Tell
) -> Throughput:
    """Show a frame of `size` pixels for each sight, until they or the audience end; its pace.

    Ctrl-C is an end like others.
    """
    watch, told = Stopwatch(), monotonic()
    try:
        for played in animator.play(sights):
            going_on = show(resize(played.frame, size), played.taken)
            now = monotonic()
            watch.shown(played.taken, now, played.dropped)
            if now - told >= EVERY:
                told = now
                tell(watch.recent())
            if not going_on:
                break
    except KeyboardInterrupt:
        pass
    return watch.all()
