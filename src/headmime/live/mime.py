"""From what is seen to frames: each sight moves the person's own face, relative to a start."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic

import numpy as np

from headmime.animate.motion import most_alike, relative
from headmime.animate.person import Person
from headmime.landmarks.crop import Crop, crop_box
from headmime.live.eyes import Sight
from headmime.live.steady import Steady

CHOOSING = 40  # sights from which the start is chosen
EASING = 0.15  # of the way to a better start, per sight: a jump would be seen


@dataclass(frozen=True)
class Played:
    """A frame uint8 [S, S, 3] of what was seen at `taken`; `made`: when it was ready.

    Monotonic seconds. `seen`: whether there was a face; without one the frame before is repeated.
    """

    frame: np.ndarray
    taken: float
    made: float
    seen: bool
    dropped: int


class Start:
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
            self._best = self._faces[most_alike(np.stack(self._faces), self._own)]
        self._now = face if self._now is None else self._now + EASING * (self._best - self._now)
        return self._now

    def again(self) -> None:
        """Choose anew, from the next face on."""
        self._faces.clear()


class Mime:
    """`person` as a function of sights."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._start = Start(person.neutral)
        self._steady = Steady()
        self._crop: Crop | None = None
        self._frame = person.animator(person.neutral[None])[0]

    def again(self) -> None:
        """Take the driver's face as it is now for the start."""
        self._start.again()

    def play(self, sights: Iterable[Sight]) -> Iterator[Played]:
        """A frame for each sight."""
        for sight in sights:
            if sight.pixels is not None:
                self._frame = self._made(sight.pixels, sight.taken)
            yield Played(
                self._frame, sight.taken, monotonic(), sight.pixels is not None, sight.dropped
            )

    def _made(self, pixels: np.ndarray, taken: float) -> np.ndarray:
        if self._crop is None:
            self._crop = crop_box(pixels[None])
        face = self._steady(self._crop.to_crop(pixels), taken)
        landmarks = relative(face[None], self._start(face), self._person.neutral)
        return self._person.animator(landmarks)[0]
