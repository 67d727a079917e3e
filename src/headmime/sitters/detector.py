"""Simulated errors of a landmark detector.

`makers/landmark_noise.py` measures the statistics of dlib's errors on rendered sitters, whose exact
landmarks are known, and writes TABLE.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.landmarks.points import EYE_L, EYE_R, POINTS, face_size, head_turn, mouth_opening

TABLE = Path(__file__).with_name("detector_noise.npz")

UPPER, LOWER = [37, 38, 43, 44], [41, 40, 47, 46]
"""Opposite points of upper and lower lids."""

EXACT = 0.3
"""Share of clips without simulated errors."""


@dataclass(frozen=True)
class DetectorErrors:
    """A detector's error statistics in units of `face_size`, in the axes of the upright face.

    expected [F, 136]: coefficients of the mean error, linear in `features`. clip [A, 136], frame
    [B, 136]: directions to be multiplied with standard normal numbers, for an error per clip and
    one per frame. turned: relative growth of the latter per unit of `head_turn`.
    """

    expected: NDArray
    clip: NDArray
    frame: NDArray
    turned: float


@lru_cache(maxsize=1)
def load_error_statistics() -> DetectorErrors:
    with np.load(TABLE, allow_pickle=False) as table:
        arrays = (table[name].astype(np.float64) for name in ("expected", "clip", "frame"))
        return DetectorErrors(*arrays, turned=float(table["turned"]))


def features(points: NDArray) -> NDArray:
    """Predictors of the expected error: [T, 68, 2] -> [T, 7]."""
    turn, mouth = head_turn(points), mouth_opening(points)
    upright = to_upright_axes(points)
    nod = (upright[:, 30] - upright[:, 36:48].mean(1))[:, 1] / face_size(points)
    lids = points[:, LOWER] - points[:, UPPER]
    opened = np.linalg.norm(lids, axis=-1).mean(1) / face_size(points)
    one = np.ones(len(points))
    return np.stack([one, turn, np.abs(turn), turn * np.abs(turn), mouth, nod, opened], -1)


def _axes(points: NDArray) -> NDArray:
    """Unit vectors of the upright face: along the eyes and down, [T, 2, 2]."""
    along = points[:, EYE_L].mean(1) - points[:, EYE_R].mean(1)
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    return np.stack([along, np.stack([-along[:, 1], along[:, 0]], -1)], 1)


def to_upright_axes(vectors: NDArray, like: NDArray | None = None) -> NDArray:
    """Rotate vectors [T, 68, 2] into the upright axes of the faces `like` (default: vectors)."""
    return np.einsum("tki,tji->tkj", vectors, _axes(vectors if like is None else like))


def add_detector_error(points: NDArray, strength: float, rng: Generator) -> NDArray:
    """Add simulated detector errors to the exact points of a clip, [T, 68, 2] in any units.

    strength: 1 for errors of the measured size, 0 for none. The error consists of a part per clip
    and a smaller one per frame; a share `EXACT` of clips has none. Opposite lid points get the same
    error: independent errors are as large as a blink, and a network trained with them ignores the
    lids.
    """
    if not strength or rng.random() < EXACT:
        return points
    errors, count = load_error_statistics(), len(points)
    share = rng.uniform(0.25, 1.0)  # how hard a clip is for the detector
    clip = rng.normal(size=len(errors.clip)) @ errors.clip
    frame = rng.normal(size=(count, len(errors.frame))) @ errors.frame
    frame = frame * (1 + errors.turned * np.abs(head_turn(points)))[:, None]
    error = (features(points) @ errors.expected + clip + frame).reshape(count, POINTS, 2)
    error[:, UPPER] = error[:, LOWER] = (error[:, UPPER] + error[:, LOWER]) / 2
    error = strength * share * error * face_size(points)[:, None, None]
    return (points + np.einsum("tkj,tji->tki", error, _axes(points))).astype(points.dtype)
