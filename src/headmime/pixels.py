"""Between pictures as they are decoded and encoded (uint8 RGB) and pictures as the networks see
them (float32 [-1, 1]).
"""

import numpy as np
import torch
from torch import Tensor


def to_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 [..., H, W, 3] in 0..255 -> float32 [..., 3, H, W] in [-1, 1]."""
    return torch.from_numpy(pictures).movedim(-1, -3).float().div_(127.5).sub_(1.0)


def to_pictures(tensor: Tensor) -> np.ndarray:
    """Float [..., 3, H, W] in [-1, 1] -> uint8 [..., H, W, 3], rounded and clipped; inverse of
    :func:`to_tensor`.
    """
    scaled = tensor.detach().float().add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.byte().movedim(-3, -1).contiguous().cpu().numpy()
