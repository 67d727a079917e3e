"""The frames of sitters, bundled with the weights, that fine-tuning rehearses."""

import numpy as np
import simplejpeg
import torch
from torch import Tensor

from headmime.assets import ASSETS
from headmime.images import resize
from headmime.learning.finetune import embed
from headmime.learning.rehearsal import Rehearsal
from headmime.nets import Nets
from headmime.pixels import to_tensor

FILE = ASSETS / "weights" / "rehearsal.npz"


def bundled_people(size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames uint8 [T, size, size, 3] and landmarks [T, 68, 2] of each of the forty sitters."""
    with np.load(FILE) as kept:
        landmarks, jpegs = kept["landmarks"], np.split(kept["jpegs"], kept["ends"][:-1])
    frames = np.stack([resize(simplejpeg.decode_jpeg(jpeg.tobytes()), size) for jpeg in jpegs])
    return list(zip(frames.reshape(*landmarks.shape[:2], size, size, 3), landmarks, strict=True))


def bundled_rehearsal(nets: Nets, size: int) -> Rehearsal:
    """Three frames each of forty sitters at size x size, with psi_hat of these networks."""
    return Rehearsal.of(nets, bundled_people(size))


def bundled_embeddings(nets: Nets, size: int) -> Tensor:
    """e_hat of each of the forty sitters, [40, N]."""
    device = next(nets.embedder.parameters()).device
    people = bundled_people(size)
    found = [embed(nets, to_tensor(frames).to(device), points) for frames, points in people]
    return torch.stack(found)
