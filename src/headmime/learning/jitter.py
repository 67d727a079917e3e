"""Random similarity transforms of images and landmarks (a deviation; off in `finetune=paper`)."""

from dataclasses import astuple, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass
class Jitter:
    """Largest random similarity applied to an image and its landmarks; 0 (the paper's): none.

    For a single image: ``rotation`` in degrees, ``scale`` relative, ``shift`` as a share of the
    side.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0

    def of(self, images: int) -> "Jitter":
        """Jitter reduced for several ``images``, which already vary: divided by the cube root of
        their number (half for eight).
        """
        return Jitter(*(most / images ** (1 / 3) for most in astuple(self)))


def apply_jitter(
    x: Tensor, landmarks: np.ndarray, jitter: Jitter, rng: np.random.Generator
) -> tuple[Tensor, np.ndarray]:
    """Apply one random similarity to each image [B, 3, S, S] and its landmarks [B, 68, 2]; the
    border is reflected.
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
    # grid_sample maps output positions to input positions, both in [-1, 1]
    backward = np.linalg.inv(forward)
    origin = -(backward @ (2 * shift)[:, :, None])
    theta = torch.from_numpy(np.concatenate([backward, origin], 2)).to(x)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    warped = F.grid_sample(x, grid, "bicubic", "reflection", align_corners=False)
    return warped.clamp(-1, 1), moved.astype(np.float32)
