"""A person who moves as a driving does: frames as they are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from headmime.animate.driving import Driving
from headmime.animate.motion import fitted
from headmime.animate.person import BATCH, Person
from headmime.provenance.making import Making


@dataclass(frozen=True)
class Animation:
    """An iterable of uint8 frames [S, S, 3], made while it is read, by the generator alone.

    `landmarks`: float32 [T, 68, 2] in crop coordinates, what each frame is drawn from; `making`:
    what its credentials will state.
    """

    person: Person
    landmarks: np.ndarray
    fps: Fraction
    making: Making

    @property
    def size(self) -> int:
        """The side S of a frame, in pixels."""
        return self.person.shape.image_size

    def __len__(self) -> int:
        return len(self.landmarks)

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.landmarks), BATCH):
            yield from self.person.animator(self.landmarks[start : start + BATCH])


def animation(person: Person, driving: Driving, motion: str) -> Animation:
    """`person` moved by `driving`; `motion` is "absolute" or "relative" (see `motion.fitted`)."""
    landmarks = fitted(driving.landmarks, driving.neutral, person.neutral, motion)
    return Animation(person, landmarks, driving.fps, _making(person, driving, motion))


def _making(person: Person, driving: Driving, motion: str) -> Making:
    settings = {"method": person.record["origin"]["method"], "motion": motion}
    origin = () if driving.origin is None else (driving.origin,)
    return replace(person.making, ingredients=person.making.ingredients + origin, settings=settings)
