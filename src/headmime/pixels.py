"""Conversion between decoded images (uint8 RGB) and network inputs (float32 in [-1, 1])."""

import cv2
import numpy as np
import torch
from torch import Tensor


def to_tensor(images: np.ndarray) -> Tensor:
    """uint8 [..., H, W, 3] in 0..255 -> float32 [..., 3, H, W] in [-1, 1]."""
    return torch.from_numpy(images).movedim(-1, -3).float().div_(127.5).sub_(1.0)


def to_uint8(tensor: Tensor) -> np.ndarray:
    """Float [..., 3, H, W] in [-1, 1] -> uint8 [..., H, W, 3], rounded and clipped; inverse of
    :func:`to_tensor`.
    """
    scaled = tensor.detach().float().add(1.0).mul(127.5).round().clamp(0, 255)
    return scaled.byte().movedim(-3, -1).contiguous().cpu().numpy()


def grey_sharpness(image: np.ndarray) -> float:
    """Variance of the 4-neighbour Laplacian of the grey values, 0..255, of uint8 RGB [H, W, 3]."""
    return laplacian_variance(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def laplacian_variance(grey: np.ndarray) -> float:
    """Variance of the 4-neighbour Laplacian of grey values [H, W], uint8 or float32."""
    return float(cv2.Laplacian(grey, cv2.CV_32F, ksize=1).var())
