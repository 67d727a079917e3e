"""Differentiable approximations of what happens to an image before somebody animates it."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
CHROMA = [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    *([[99] * 8] * 4),
]
"""Quantisation tables of ITU-T T.81, annex K."""

TO_YCC = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
"""RGB -> Y, Cb, Cr (JFIF)."""


def jpeg(x: Tensor, quality: int) -> Tensor:
    """Compress x [B, 3, H, W] in 0..255 as baseline JPEG with half the colour resolution.

    The gradient passes through rounding as if there were none.
    """
    H, W = x.shape[-2:]
    x = F.pad(x, (0, -W % 16, 0, -H % 16), mode="replicate")
    matrix = torch.tensor(TO_YCC, device=x.device)
    ycc = torch.einsum("ij,bjhw->bihw", matrix, x)
    y = _quantise(ycc[:, :1] - 128, LUMA, quality) + 128
    chroma = _quantise(F.avg_pool2d(ycc[:, 1:], 2), CHROMA, quality)
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    rgb = torch.einsum("ij,bjhw->bihw", matrix.inverse(), torch.cat([y, chroma], 1))
    return rgb[..., :H, :W].clamp(0, 255)


def _quantise(x: Tensor, table: list[list[int]], quality: int) -> Tensor:
    """Round the cosine transform of each 8x8 block to multiples of the table's steps."""
    B, C, H, W = x.shape
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    steps = torch.tensor(table, device=x.device).mul(scale).add(50).div(100).floor().clamp(1, 255)
    k = torch.arange(8, device=x.device)
    D = torch.cos(math.pi * (2 * k[None] + 1) * k[:, None] / 16) / 2
    D[0] /= math.sqrt(2)
    blocks = x.view(B, C, H // 8, 8, W // 8, 8).transpose(3, 4)
    coefficients = D @ blocks @ D.T / steps
    rounded = coefficients + (coefficients.round() - coefficients).detach()
    return (D.T @ (rounded * steps) @ D).transpose(3, 4).reshape(B, C, H, W)


def half_size(x: Tensor) -> Tensor:
    """Shrink x [B, 3, H, W] to half its size and enlarge it again."""
    small = F.avg_pool2d(x, 2, ceil_mode=True)
    return F.interpolate(small, size=x.shape[-2:], mode="bilinear", align_corners=False)


def blur(x: Tensor) -> Tensor:
    """Blur x [B, 3, H, W] with a binomial kernel of 3x3 pixels."""
    kernel = torch.tensor([1.0, 2.0, 1.0], device=x.device) / 4
    kernel = (kernel[:, None] * kernel).expand(3, 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)
