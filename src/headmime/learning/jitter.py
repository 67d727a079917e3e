"""Random similarities of images and their landmarks (a deviation; off in `finetune=paper`)."""

from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass
class Jitter:
    """Largest random similarity put on an image and its landmarks together; 0 is the paper's: the
    image as it is.

    ``rotation`` in degrees, ``scale`` and ``shift`` as shares of the side, for a single image.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0

    def of(self, images: int) -> "Jitter":
        """What is left of it where there are several ``images``, which move themselves: half for
        eight (the cube root).
        """
        return Jitter(*(most / images ** (1 / 3) for most in astuple(self)))


def apply_jitter(
    x: Tensor, landmarks: np.ndarray, jitter: Jitter, rng: np.random.Generator
) -> tuple[Tensor, np.ndarray]:
    """Put one random similarity on each image [B, 3, S, S] and on its landmarks [B, 68, 2];
    outside is a reflection.
    """
    B = len(x)
    angle = np.deg2rad(rng.uniform(-1, 1, B) * jitter.rotation)
    scale = 1 + rng.uniform(-1, 1, B) * jitter.scale
    shift = rng.uniform(-1, 1, (B, 2)) * jitter.shift
    if jitter == Jitter():
        return x, landmarks
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1)
    forward = scale[:, None, None] * turn.reshape(B, 2, 2)
    moved = (landmarks - 0.5) @ forward.transpose(0, 2, 1) + 0.5 + shift[:, None]
    # grid_sample asks where each output position comes from, with positions from -1 to 1
    backward = np.linalg.inv(forward)
    origin = -(backward @ (2 * shift)[:, :, None])
    theta = torch.from_numpy(np.concatenate([backward, origin], 2)).to(x)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    warped = F.grid_sample(x, grid, "bicubic", "reflection", align_corners=False)
    return warped.clamp(-1, 1), moved.astype(np.float32)
