"""The frames of sitters, bundled with the weights, that fine-tuning rehearses."""

import cv2
import numpy as np
import torch
from torch import Tensor

from headmime.assets import ASSETS
from headmime.learning.finetune import embed
from headmime.learning.rehearsal import Rehearsal
from headmime.nets import Nets
from headmime.pixels import to_tensor

FILE = ASSETS / "weights" / "rehearsal.npz"


def bundled_rehearsal(nets: Nets, size: int) -> Rehearsal:
    """Three frames each of forty sitters at size x size, with psi_hat of these networks."""
    return Rehearsal.of(nets, _people(size))


def bundled_embeddings(nets: Nets, size: int) -> Tensor:
    """e_hat of each of the forty sitters, [40, N]."""
    device = next(nets.embedder.parameters()).device
    found = [embed(nets, to_tensor(frames).to(device), points) for frames, points in _people(size)]
    return torch.stack(found)


def _people(size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    with np.load(FILE) as kept:
        people = list(zip(kept["frames"], kept["landmarks"], strict=True))
    return [(_resized(frames, size), points) for frames, points in people]


def _resized(frames: np.ndarray, size: int) -> np.ndarray:
    way = cv2.INTER_AREA if size < frames.shape[1] else cv2.INTER_CUBIC
    return np.stack([cv2.resize(frame, (size, size), interpolation=way) for frame in frames])
