"""Spectral normalisation with a pure forward pass.

``weight / sigma`` with ``sigma = u^T weight v``. The vectors u and v are float32 buffers that move
only when the training step calls :func:`power_iterate`: two forward passes of one network in one
step therefore see the same weights, gradient accumulation changes nothing, and a personal copy
computes to the bit what its origin computes.
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

from headmime.nets.folding import conv_then_pool, upsample_then_conv

CONSTRUCTION_ITERATIONS = 15


class _Normalised(torch.autograd.Function):
    """weight / sigma. The gradient is written out because autograd's takes twice as long."""

    @staticmethod
    def forward(ctx: FunctionCtx, weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
        sigma = torch.dot(u, weight.flatten(1) @ v)
        ctx.save_for_backward(weight, u, v, sigma)
        return weight / sigma

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None]:
        weight, u, v, sigma = ctx.saved_tensors
        g = gradient.flatten(1)
        with torch.autocast(weight.device.type, enabled=False):
            # d(weight / sigma) = (d weight - weight / sigma d sigma) / sigma, d sigma = u^T d weight v
            along = torch.dot(g.flatten(), weight.flatten()) / sigma
            return torch.addr(g, u, -along * v).div_(sigma).view_as(weight), None, None


class _Spectral(nn.Module):
    """A weight [out, ...] of which the largest singular value, taken as a matrix [out, rest], is
    kept at 1.
    """

    u: Tensor
    v: Tensor

    def __init__(self, shape: tuple[int, ...], bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.zeros(shape[0])) if bias else None
        nn.init.orthogonal_(self.weight)
        matrix = self.weight.detach().flatten(1)
        self.register_buffer("u", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(matrix.shape[1]), dim=0))
        if not self.weight.is_meta:  # autocast, even switched off, does not know the meta device
            for _ in range(CONSTRUCTION_ITERATIONS):
                self.power_iterate()

    @torch.no_grad()
    def power_iterate(self) -> None:
        matrix = self.weight.flatten(1)
        with torch.autocast(matrix.device.type, enabled=False):
            self.v.copy_(F.normalize(matrix.T @ self.u, dim=0))
            self.u.copy_(F.normalize(matrix @ self.v, dim=0))

    def normalised_weight(self) -> Tensor:
        """Return weight / sigma; sigma is differentiated, u and v are constants."""
        with torch.autocast(self.weight.device.type, enabled=False):
            return _Normalised.apply(self.weight, self.u, self.v)


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
        """Return the convolution (3x3, no bias) of h enlarged to the nearest pixel, [B, out, 2H,
        2W].
        """
        return upsample_then_conv(h, self.normalised_weight())


class SpectralLinear(_Spectral):
    """Linear map [B, in] -> [B, out]."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__((out_features, in_features), bias)

    def forward(self, h: Tensor) -> Tensor:
        return F.linear(h, self.normalised_weight(), self.bias)


def power_iterate(net: nn.Module) -> None:
    """Move u and v of every spectral layer of ``net`` by one power iteration: once per update of
    its weights.
    """
    for module in net.modules():
        if isinstance(module, _Spectral):
            module.power_iterate()
