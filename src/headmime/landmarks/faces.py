"""Detected faces, and the interface of detectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Box = tuple[float, float, float, float]  # left, top, right, bottom in image pixels
SAME_FACE = 0.3  # IoU above which boxes of adjacent frames are the same face


@dataclass(frozen=True)
class Face:
    """A face in an image, in image pixels.

    pixels: landmarks float32 [68, 2]. score: the detector's confidence, higher is surer, with a
    detector-specific scale. box: the detector's box. unchecked: frames since the last detection, in
    which only the landmarks were refitted.
    """

    pixels: np.ndarray
    score: float
    box: Box
    unchecked: int = 0

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


class Detector(Protocol):
    """Finds the 68 iBUG landmarks. `name` is stored with all data derived from them.

    batch: batch size of `detect`, for detectors whose networks process frames in batches; 1 if
    following a face is faster than detecting it.
    """

    name: str
    batch: int

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        """Return all faces of each frame, uint8 RGB [H, W, 3] of any size, independently."""
        ...

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        """Return the new position of `face`, detected a few frames before, or None."""
        ...


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes: 0 disjoint, 1 equal."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def largest(faces: Sequence[Face]) -> Face:
    """The face with the largest box."""
    return max(faces, key=lambda face: face.area)
