"""A 3x3 convolution and the adjacent resampling as one operation with less than half the products.

2x2 average pooling after a 3x3 convolution is a 4x4 convolution of stride 2; a 3x3 convolution
after nearest 2x upsampling is a 4x4 transposed convolution of stride 2. Both are exact up to
rounding, with 16 products per low-resolution pixel instead of 36.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

WIDEST = 256
"""Most input channels for which pooling is folded. Wider layers work at so low a resolution that
computing the 4x4 kernel costs as much as it saves.
"""


def conv_then_pool(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve h [B, I, H, W] with weight [O, I, 3, 3] (padding 1), then average 2x2 pixels; result
    [B, O, H/2, W/2].
    """
    if pooling_folds(weight):
        return F.conv2d(h, pooling_kernel(weight), bias, stride=2, padding=1)
    return F.avg_pool2d(F.conv2d(h, weight, bias, padding=1), 2)


def upsample_then_conv(h: Tensor, weight: Tensor) -> Tensor:
    """Upsample h [B, I, H, W] 2x (nearest), then convolve with weight [O, I, 3, 3] (padding 1);
    result [B, O, 2H, 2W].
    """
    return F.conv_transpose2d(h, upsampling_kernel(weight), stride=2, padding=1)


def pooling_folds(weight: Tensor) -> bool:
    """Whether pooling after a convolution with weight [O, I, 3, 3] is folded into it."""
    return weight.shape[1] <= WIDEST


def pooling_kernel(weight: Tensor) -> Tensor:
    """Return [O, I, 4, 4]: the mean of the 3x3 kernel at its four positions in 4x4."""
    return _combined(weight, _four_places(weight) / 4)


def upsampling_kernel(weight: Tensor) -> Tensor:
    """Return [I, O, 4, 4] for a transposed convolution: the sum of the flipped 3x3 kernel at its
    four positions in 4x4.
    """
    kernel = _combined(weight, _four_places(weight).flip(1)).transpose(0, 1)
    return kernel.contiguous(memory_format=torch.channels_last)


def _four_places(weight: Tensor) -> Tensor:
    """Return a 0/1 matrix [16, 9]: column n marks the four positions of kernel element n in 4x4."""
    single = torch.eye(9, dtype=weight.dtype, device=weight.device).view(9, 1, 3, 3)
    return F.avg_pool2d(single, 2, stride=1, padding=1, divisor_override=1).view(9, 16).T


def _combined(weight: Tensor, places: Tensor) -> Tensor:
    """Multiply places [16, 9] with each flattened kernel of weight [O, I, 3, 3]: [O, I, 4, 4] in
    channels-last format.
    """
    kernels = weight.movedim(1, -1).flatten(1, 2)  # [O, 9, I]
    return (places @ kernels).unflatten(1, (4, 4)).movedim(-1, 1)
