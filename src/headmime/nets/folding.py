"""A 3x3 convolution and the change of resolution beside it, as one operation of under half the
work.

Averaging 2x2 pixels after a 3x3 convolution is a 4x4 convolution of stride 2; a 3x3 convolution of
an image enlarged 2x2 is a 4x4 transposed convolution of stride 2. Both are equalities (up to
rounding) with 16 products for each small pixel instead of 36.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

WIDEST = 256
"""Input channels up to which pooling is folded. Beyond, images are so small that making the
larger kernel costs what it saves.
"""


def conv_then_pool(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve h [B, I, H, W] with weight [O, I, 3, 3] (padding 1), then average 2x2 pixels: [B, O,
    H/2, W/2].
    """
    if pooling_folds(weight):
        return F.conv2d(h, pooling_kernel(weight), bias, stride=2, padding=1)
    return F.avg_pool2d(F.conv2d(h, weight, bias, padding=1), 2)


def upsample_then_conv(h: Tensor, weight: Tensor) -> Tensor:
    """Enlarge h [B, I, H, W] to the nearest pixel, then convolve with weight [O, I, 3, 3] (padding
    1): [B, O, 2H, 2W].
    """
    return F.conv_transpose2d(h, upsampling_kernel(weight), stride=2, padding=1)


def pooling_folds(weight: Tensor) -> bool:
    """Whether the pooling after a convolution with weight [O, I, 3, 3] is folded into it."""
    return weight.shape[1] <= WIDEST


def pooling_kernel(weight: Tensor) -> Tensor:
    """Return [O, I, 4, 4]: the mean of the 3x3 kernel at its four places in 4x4."""
    return _combined(weight, _four_places(weight) / 4)


def upsampling_kernel(weight: Tensor) -> Tensor:
    """Return [I, O, 4, 4], for a transposed convolution: the sum of the mirrored 3x3 kernel at its
    four places in 4x4.
    """
    kernel = _combined(weight, _four_places(weight).flip(1)).transpose(0, 1)
    return kernel.contiguous(memory_format=torch.channels_last)


def _four_places(weight: Tensor) -> Tensor:
    """Return [16, 9]: column n is where number n of a 3x3 kernel goes in 4x4, with ones."""
    single = torch.eye(9, dtype=weight.dtype, device=weight.device).view(9, 1, 3, 3)
    return F.avg_pool2d(single, 2, stride=1, padding=1, divisor_override=1).view(9, 16).T


def _combined(weight: Tensor, places: Tensor) -> Tensor:
    """Return places [16, 9] times the numbers of each kernel of weight [O, I, 3, 3]: [O, I, 4, 4],
    with channels last.
    """
    kernels = weight.movedim(1, -1).flatten(1, 2)  # [O, 9, I]
    return (places @ kernels).unflatten(1, (4, 4)).movedim(-1, 1)
