"""Kernels in the order in which the CPU's library (oneDNN) reads them: put so once and not at every
call, which for single images takes a fifth of the time.

torch does so within its compiler only, which needs a C++ compiler wherever it runs; the two
operations here are those that its compiler emits.
"""

import torch
from torch import Tensor


def packs(kernel: Tensor) -> bool:
    """Whether :class:`Packed` can take ``kernel``: float32, on a CPU for which torch has oneDNN."""
    usual = kernel.dtype == torch.float32 and kernel.device.type == "cpu"
    return usual and torch.backends.mkldnn.is_available()


class Packed:
    """``torch.nn.functional.conv2d`` with a kernel [O, I, k, k], always with the same stride and
    padding.

    The kernel is put in the order that is best for the first images [B, I, H, W] that come; those
    of other sizes may take longer.
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
