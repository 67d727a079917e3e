"""Spectral normalisation with a pure forward pass.

``weight / sigma`` with ``sigma = u^T weight v``. The vectors u and v are float32 buffers that
change only when the training step calls :func:`power_iterate`: all forward passes of a step use the
same weights, also with gradient accumulation, and a copy computes bit for bit what its original
does.

Kernels and their gradients use the channels-last memory format, as the features do.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

from headmime.nets.folding import conv_then_pool, upsample_then_conv

CONSTRUCTION_ITERATIONS = 15


class _Normalised(torch.autograd.Function):
    """weight / sigma for weight [out, ...], u [out] and v [rest]. The explicit gradient takes half
    as long as autograd's.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
        v = _in_memory_order(v.view(1, *weight.shape[1:]))[0]
        sigma = torch.dot(u, _in_memory_order(weight) @ v)
        ctx.save_for_backward(weight, u, v, sigma)
        return weight / sigma

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]  (torch takes it so)
        weight, u, v, sigma = ctx.saved_tensors
        g, matrix = _in_memory_order(gradient), _in_memory_order(weight)
        with torch.autocast(weight.device.type, enabled=False):
            # d(w / sigma) = (dw - w / sigma d sigma) / sigma, with d sigma = u^T dw v
            along = torch.dot(g.flatten(), matrix.flatten()) / sigma
            change = torch.addr(g, u, -along * v).div_(sigma)
        return _from_memory_order(change, weight.shape), None, None


class _Spectral(nn.Module):
    """A weight [out, ...] normalised to a largest singular value of 1 as a matrix [out, rest]."""

    u: Tensor
    v: Tensor

    def __init__(self, shape: tuple[int, ...], bias: bool) -> None:
        super().__init__()
        weight = nn.init.orthogonal_(torch.empty(shape))
        self.weight = nn.Parameter(kernels_last(weight))
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        self.register_buffer("u", F.normalize(torch.randn(shape[0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(weight[0].numel()), dim=0))
        self._normalised: Tensor | None = None
        if not self.weight.is_meta:  # autocast, even disabled, does not support the meta device
            for _ in range(CONSTRUCTION_ITERATIONS):
                self.power_iterate()

    @torch.no_grad()
    def power_iterate(self) -> None:
        matrix = _in_memory_order(self.weight)
        with torch.autocast(matrix.device.type, enabled=False):
            v = F.normalize(matrix.T @ self.u, dim=0)
            self.u.copy_(F.normalize(matrix @ v, dim=0))
        self.v.copy_(_from_memory_order(v[None], (1, *self.weight.shape[1:])).flatten())

    def normalised_weight(self) -> Tensor:
        """Return weight / sigma; gradient flows through sigma, not through u and v."""
        if self._normalised is not None:
            trained = self.weight.requires_grad
            return self._normalised if trained else self._normalised.detach()
        with torch.autocast(self.weight.device.type, enabled=False):
            return _Normalised.apply(self.weight, self.u, self.v)

    @contextmanager
    def normalised_once(self) -> Iterator[None]:
        normalised = self.normalised_weight()
        self._normalised = normalised.detach().requires_grad_(normalised.requires_grad)
        try:
            yield
            if self._normalised.grad is not None:
                normalised.backward(self._normalised.grad)
        finally:
            self._normalised = None


class SpectralConv2d(_Spectral):
    """Convolution [B, in, H, W] -> [B, out, H, W] with stride 1 and zero padding that keeps the
    size.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, bias: bool = True) -> None:
        super().__init__((out_channels, in_channels, kernel, kernel), bias)
        self.padding = kernel // 2

    def forward(self, h: Tensor) -> Tensor:
        return F.conv2d(h, self.normalised_weight(), self.bias, padding=self.padding)

    def then_pooled(self, h: Tensor) -> Tensor:
        """Return the convolution (3x3) averaged over 2x2 pixels, [B, out, H/2, W/2]."""
        return conv_then_pool(h, self.normalised_weight(), self.bias)

    def on_upsampled(self, h: Tensor) -> Tensor:
        """Return the convolution (3x3, no bias) of h upsampled 2x (nearest), [B, out, 2H, 2W]."""
        return upsample_then_conv(h, self.normalised_weight())


class SpectralLinear(_Spectral):
    """Linear map [B, in] -> [B, out]."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__((out_features, in_features), bias)

    def forward(self, h: Tensor) -> Tensor:
        return F.linear(h, self.normalised_weight(), self.bias)


def power_iterate(net: nn.Module) -> None:
    """Update u and v of every spectral layer of ``net`` by one power iteration: call it once per
    update of the weights.
    """
    for layer in _layers(net):
        layer.power_iterate()


@contextmanager
def normalised_once(net: nn.Module) -> Iterator[None]:
    """Inside this context, normalise each weight of ``net`` only once: on entry it is divided by
    sigma, on exit the accumulated gradient is propagated to it. Weights must not change inside.
    """
    with ExitStack() as stack:
        for layer in _layers(net):
            stack.enter_context(layer.normalised_once())
        yield


def kernels_last(weight: Tensor) -> Tensor:
    """weight in channels-last format: a convolution's [out, in, k, k] is stored [out, k, k, in]."""
    if weight.ndim != 4:
        return weight
    return weight.contiguous(memory_format=torch.channels_last)


def _layers(net: nn.Module) -> Iterator[_Spectral]:
    return (module for module in net.modules() if isinstance(module, _Spectral))


def _in_memory_order(weight: Tensor) -> Tensor:
    """weight [out, in, ...] as a matrix [out, rest], without a copy in channels-last format."""
    return weight.movedim(1, -1).flatten(1)


def _from_memory_order(matrix: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The inverse of :func:`_in_memory_order` for a weight of this shape."""
    return matrix.view(shape[0], *shape[2:], shape[1]).movedim(-1, 1)
