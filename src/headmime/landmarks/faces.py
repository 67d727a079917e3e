"""Faces as detectors find them, and what a detector is: one small interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Box = tuple[float, float, float, float]  # left, top, right, bottom in image pixels
SAME_FACE = 0.3  # boxes that overlap more than this are one face in neighbouring frames


@dataclass(frozen=True)
class Face:
    """A face in an image, everything in image pixels.

    pixels: float32 [68, 2]. score: the detector's confidence, larger is surer (its scale is the
    detector's own). box: where the detector saw it. unchecked: frames since it did, in which only
    the points were fitted again.
    """

    pixels: np.ndarray
    score: float
    box: Box
    unchecked: int = 0

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


class Detector(Protocol):
    """Finds the 68 points of iBUG's order. `name` is recorded with everything made from them.

    batch: frames that `detect` takes about as quickly as one, where it has a network for them; 1
    where following a face is quicker than finding it.
    """

    name: str
    batch: int

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        """Return all faces of every frame, uint8 RGB [H, W, 3], of any sizes, independently."""
        ...

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        """Return the face that was `face` a few frames ago, or None: faster than `detect`."""
        ...


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes: 0 apart, 1 equal."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def largest(faces: Sequence[Face]) -> Face:
    """The face with the largest box."""
    return max(faces, key=lambda face: face.area)
