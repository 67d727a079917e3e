"""Interfaces of the scoring networks of the evaluation: images -> arrays, and their origin.

No network is used both for scoring and in a training loss. The packaged scorers are stand-ins
(`origin["stand_in"]`); those of the literature are loaded from the user's files.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch

BATCH = 16


class Scorer(Protocol):
    """A frozen network for frames uint8 RGB [n, S, S, 3] of any side S."""

    name: str
    """Name printed with every number, such as "arcface" or "dlib-resnet"."""

    origin: dict[str, Any]
    """`files` (name -> sha256) and `stand_in` (not the network of the literature)."""


class IdentityScorer(Scorer, Protocol):
    """Face embeddings: smaller L2 distance means likelier the same person; CSIM is the cosine."""

    def __call__(self, frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Frames and their landmarks [n, 68, 2] in crop coordinates -> float32 [n, E]."""
        ...


class FeatureScorer(Scorer, Protocol):
    """One feature vector per image, for FID and KID."""

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Frames -> float32 [n, D]."""
        ...


class DistanceScorer(Scorer, Protocol):
    """Perceptual distance of two images, 0 for equal ones."""

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Two arrays of n frames -> float32 [n]."""
        ...


class TorchScorer:
    """Base of scorers with a torch network, which runs in batches on a device."""

    _network: torch.nn.Module
    device = torch.device("cpu")

    def to(self, device: torch.device) -> None:
        """Move the network to `device`."""
        self._network.to(device)
        self.device = device

    @torch.inference_mode()
    def _in_batches(self, score: Callable[..., torch.Tensor], *frames: np.ndarray) -> np.ndarray:
        """`score` of each batch of one or two arrays of n frames -> float32 [n, ...]."""
        batches = range(0, len(frames[0]), BATCH)
        parts = [score(*(each[k : k + BATCH] for each in frames)) for k in batches]
        return torch.cat(parts).float().cpu().numpy()
