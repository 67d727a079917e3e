"""A person's generator for inference, with spectral normalisation folded into the weights.

Each kernel is divided by its sigma once, and has its 4x4 form where the resolution changes
(folding.py); psi' is a constant; attention is computed in parts that fit a core's cache.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headmime.nets.blocks import AdaptiveBlock, DownBlock, SelfAttention
from headmime.nets.folding import pooling_folds, pooling_kernel, upsampling_kernel
from headmime.nets.generator import Generator, Synthesis
from headmime.nets.personal import PersonalGenerator
from headmime.nets.spectral import SpectralConv2d, kernels_last

TOGETHER = 128  # query positions per part: with 1024 positions, twice as fast as one part


class InferenceGenerator(nn.Module):
    """x_hat = G'(y) with weights as buffers: no parameters, no gradient."""

    psi: Tensor

    def __init__(self, synthesis: Synthesis, psi: Tensor) -> None:
        super().__init__()
        self.synthesis = synthesis
        self.register_buffer("psi", psi)

    def forward(self, y: Tensor) -> Tensor:
        """Return images [B, 3, S, S] float32 in (-1, 1) for drawings y [B, 3, S, S] in [-1, 1]."""
        return self.synthesis(y, self.psi.expand(len(y), -1))


@torch.no_grad()
def for_inference(
    generator: Generator | PersonalGenerator, psi: Tensor, dtype: torch.dtype = torch.float32
) -> InferenceGenerator:
    """Return an inference copy of ``generator`` with AdaIN parameters psi [A], on its device.

    ``dtype`` of the convolutions: float32 (images equal the generator's to 1e-5), bfloat16 or
    float16; statistics are always float32.
    """
    graph = InferenceGenerator(deepcopy(generator.synthesis), psi.detach().clone())
    for block in reversed(list(graph.modules())):
        for name, layer in list(block.named_children()):
            if isinstance(layer, SpectralConv2d):
                setattr(block, name, _plain(block, layer, dtype))
            elif isinstance(layer, SelfAttention):
                setattr(block, name, _Attention(layer))
    return graph.requires_grad_(False).eval()


def packed(graph: InferenceGenerator) -> InferenceGenerator:
    """Pack the kernels of ``graph`` in place and return it: faster for single images on a CPU, but
    no longer exportable.
    """
    for layer in graph.modules():
        if isinstance(layer, _Plain) and _packs(layer.kernel):
            layer.convolve = _Packed(layer.kernel, layer.bias, *layer.way)
    return graph


def _packs(kernel: Tensor) -> bool:
    """Whether :class:`_Packed` supports ``kernel``: float32 on a CPU with oneDNN."""
    usual = kernel.dtype == torch.float32 and kernel.device.type == "cpu"
    return usual and torch.backends.mkldnn.is_available()


class _Packed:
    """``torch.nn.functional.conv2d`` with a fixed kernel [O, I, k, k], stride and padding.

    The kernel has oneDNN's memory layout, reordered once instead of at every call (a fifth of the
    time for single images), and chosen for the shape of the first input [B, I, H, W]; other sizes
    may be slower. torch does this in torch.compile only, which needs a C++ compiler at run time;
    the two operations here are those that it emits.
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


class _Plain(nn.Module):
    """A convolution with constant kernel and bias in its dtype; ``way``: stride, padding."""

    kernel: Tensor
    bias: Tensor | None

    def __init__(self, kernel: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("kernel", kernels_last(kernel.to(dtype)))
        self.register_buffer("bias", None if bias is None else bias.detach().to(dtype))
        self.way = 1, kernel.shape[-1] // 2

    def convolve(self, h: Tensor) -> Tensor:
        return F.conv2d(h.to(self.kernel.dtype), self.kernel, self.bias, *self.way)

    def forward(self, h: Tensor) -> Tensor:
        return self.convolve(h)

    def then_pooled(self, h: Tensor) -> Tensor:
        return F.avg_pool2d(self(h), 2)


class _Pooled(_Plain):
    """Replaces a convolution followed by 2x2 average pooling."""

    def __init__(self, kernel: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__(kernel, bias, dtype)
        self.way = 2, 1

    def then_pooled(self, h: Tensor) -> Tensor:
        return self(h)


class _Enlarged(_Plain):
    """Replaces a convolution after 2x upsampling."""

    def on_upsampled(self, h: Tensor) -> Tensor:
        return F.conv_transpose2d(h, self.kernel, stride=2, padding=1)


class _Attention(nn.Module):
    """Self-attention, computed TOGETHER query positions at a time."""

    gain: Tensor

    def __init__(self, attention: SelfAttention) -> None:
        super().__init__()
        self.query, self.key, self.value = attention.query, attention.key, attention.value
        self.register_buffer("gain", attention.gain.detach())

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = (f(h).flatten(2).transpose(1, 2) for f in (self.query, self.key, self.value))
        attended = torch.cat([(part @ k.mT).softmax(-1) @ v for part in q.split(TOGETHER, 1)], 1)
        return h + self.gain * attended.transpose(1, 2).reshape(h.shape)


def _plain(block: nn.Module, layer: SpectralConv2d, dtype: torch.dtype) -> _Plain:
    weight = layer.normalised_weight()
    if isinstance(block, DownBlock) and layer is block.conv2 and pooling_folds(weight):
        return _Pooled(pooling_kernel(weight), layer.bias, dtype)
    if isinstance(block, AdaptiveBlock) and block.up and layer is block.conv1:
        return _Enlarged(upsampling_kernel(weight), None, dtype)
    return _Plain(weight, layer.bias, dtype)
