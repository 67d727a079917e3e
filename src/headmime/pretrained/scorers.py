"""What evaluation asks of the networks that score: images in, arrays out, and their origin.

A network that scores has no part in a training loss, and the reverse. The packaged ones are
stand-ins and say so; those of the literature are read from files that the user names.
"""

from typing import Any, Protocol

import numpy as np
import torch


class Scorer(Protocol):
    """A frozen network. Frames are uint8 RGB [n, S, S, 3], of any side S."""

    name: str
    """As printed beside every number, such as "arcface" or "dlib-resnet"."""

    origin: dict[str, Any]
    """`files` (name -> sha256) and `stand_in` (not the network that the literature reports)."""


class IdentityScorer(Scorer, Protocol):
    """Embeds faces: the nearer (L2), the more likely one person; the cosine is CSIM."""

    def __call__(self, frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Frames and their landmarks [n, 68, 2] in crop coordinates -> float32 [n, E]."""
        ...


class FeatureScorer(Scorer, Protocol):
    """One feature vector per image, whose distributions FID and KID compare."""

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Frames -> float32 [n, D]."""
        ...


class DistanceScorer(Scorer, Protocol):
    """How different two images look, 0 for equal ones."""

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Frames and as many others -> float32 [n]."""
        ...


class TorchScorer:
    """A scorer whose network is torch's, and the device on which it computes."""

    _network: torch.nn.Module
    device = torch.device("cpu")

    def to(self, device: torch.device) -> None:
        """Compute there from now on."""
        self._network.to(device)
        self.device = device
