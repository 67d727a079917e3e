"""Outputs of the scoring networks for frames: landmarks, identity embeddings, features."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headmime.evaluation.cache import PROTOCOL, Arrays, digest, load_or_compute
from headmime.landmarks.detect_dlib import hog_box
from headmime.landmarks.faces import Detector, Face
from headmime.pretrained.scorers import DistanceScorer, FeatureScorer, IdentityScorer, Scorer


@dataclass(frozen=True)
class Scorers:
    """The scoring networks, none of which is used in a training loss (`check_scorer_leakage`)."""

    identity: IdentityScorer
    features: FeatureScorer
    distance: DistanceScorer
    detector: Detector
    detector_files: dict[str, str] = field(default_factory=dict)  # name -> sha256, where named

    @property
    def origin(self) -> dict[str, dict[str, Any]]:
        """Name, files and stand-in flag of each network, by its use."""
        uses = ("identity", "features", "distance")
        networks: dict[str, Scorer] = {use: getattr(self, use) for use in uses}
        named = {use: {"name": one.name, **one.origin} for use, one in networks.items()}
        files = {"files": self.detector_files} if self.detector_files else {}
        return {**named, "landmarks": {"name": self.detector.name, **files}}

    @property
    def stand_in(self) -> bool:
        """Whether any of them replaces the network used in the literature."""
        return any(one.get("stand_in", False) for one in self.origin.values())


@dataclass(frozen=True)
class FrameFeatures:
    """`detected` [n, 68, 2] in crop coordinates, NaN where no face was found; `embeddings` [n, E];
    `features` [n, D].
    """

    detected: np.ndarray
    embeddings: np.ndarray
    features: np.ndarray


def frame_features(
    frames: np.ndarray, expected: np.ndarray, scorers: Scorers, cache: Path
) -> FrameFeatures:
    """Compute features of real or generated frames, uint8 [n, S, S, 3], with faces near `expected`
    [n, 68, 2].

    Equal frames are processed once; results are cached in the folder `cache` for other rows.
    """
    key = digest(PROTOCOL, frames, expected, scorers.origin)
    return FrameFeatures(**load_or_compute(cache, key, lambda: _compute(frames, expected, scorers)))


def _compute(frames: np.ndarray, expected: np.ndarray, scorers: Scorers) -> Arrays:
    numbers: dict[bytes, int] = {}
    group_of = np.array([numbers.setdefault(one.tobytes(), len(numbers)) for one in frames])
    _, firsts = np.unique(group_of, return_index=True)
    detected = np.full(expected.shape, np.nan, np.float32)
    for number, first in enumerate(firsts):
        members = group_of == number
        detected[members] = _match_face(frames[first], expected[members], scorers.detector)
    where = np.where(np.isnan(detected), expected, detected)
    embeddings = scorers.identity(frames[firsts], where[firsts])
    features = scorers.features(frames[firsts])
    return {
        "detected": detected,
        "embeddings": embeddings[group_of],
        "features": features[group_of],
    }


def _match_face(frame: np.ndarray, expected: np.ndarray, detector: Detector) -> np.ndarray:
    """Detect the landmarks of a face near one of `expected`; NaN if there is none."""
    size = len(frame)
    for landmarks in expected:
        pixels = (landmarks * size).astype(np.float32)
        if face := detector.follow(frame, Face(pixels, 0.0, hog_box(pixels))):
            return face.pixels / size
    return np.full((68, 2), np.nan, np.float32)
