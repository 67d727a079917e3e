"""Convolution kernels in oneDNN's memory layout, reordered once instead of at every call (a fifth
of the time for single images).

torch does this in torch.compile only, which needs a C++ compiler at run time; the two operations
here are those that it emits.
"""

import torch
from torch import Tensor


def packs(kernel: Tensor) -> bool:
    """Whether :class:`Packed` supports ``kernel``: float32 on a CPU with oneDNN."""
    usual = kernel.dtype == torch.float32 and kernel.device.type == "cpu"
    return usual and torch.backends.mkldnn.is_available()


class Packed:
    """``torch.nn.functional.conv2d`` with a fixed kernel [O, I, k, k], stride and padding.

    The layout is chosen for the shape of the first input [B, I, H, W]; other sizes may be slower.
    """

    def __init__(self, kernel: Tensor, bias: Tensor | None, stride: int, padding: int) -> None:
        self._kernel, self._bias = kernel, bias
        self._way = [padding] * 2, [stride] * 2, [1, 1], 1  # dilation, groups
        self._packed: Tensor | None = None

    def __call__(self, h: Tensor) -> Tensor:
        if self._packed is None:
            self._packed = torch.ops.aten.mkldnn_reorder_conv2d_weight(
                self._kernel.contiguous().to_mkldnn(), *self._way, list(h.shape)
            )
        return torch.ops.mkldnn._convolution_pointwise(
            h, self._packed, self._bias, *self._way, "none", [], ""
        )
