"""Finding faces and their 68 points: one small interface, two detectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from headmime.errors import HeadmimeError

Box = tuple[float, float, float, float]  # left, top, right, bottom in picture pixels
SAME_FACE = 0.3  # boxes that overlap more than this are one face in neighbouring frames


@dataclass(frozen=True)
class Face:
    """A face in a picture, everything in picture pixels.

    pixels: float32 [68, 2]. score: the detector's confidence, larger is surer (its scale is the
    detector's own). box: where the detector saw it. unchecked: frames since it did, in which only
    the points were fitted again.
    """

    pixels: np.ndarray
    score: float
    box: Box
    unchecked: int = 0


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


def detector(name: Literal["dlib", "face-alignment"], **keys: str | int | None) -> Detector:
    """The detector of that name; HeadmimeError if its package or its weights are missing.

    `keys` are those of `FaceAlignmentDetector`; dlib has none.
    """
    if name == "dlib":
        from headmime.landmarks.detect_dlib import DlibDetector

        return DlibDetector(**keys)
    if name == "face-alignment":
        from headmime.landmarks.detect_face_alignment import FaceAlignmentDetector

        return FaceAlignmentDetector(**keys)
    raise HeadmimeError(f"There is no detector {name!r}: use dlib or face-alignment.")


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes: 0 apart, 1 equal."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)
