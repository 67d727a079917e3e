"""Residual and attention blocks shared by the three networks (BigGAN's blocks with spectral
normalisation).

A convolution before a normalisation has no bias: the normalisation would remove it. Features use
the channels-last memory format, in which CPU convolution and pooling are twice as fast; each
network converts its input, and every operation here preserves the format.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headmime.nets.spectral import SpectralConv2d
from headmime.precision import at_least_float32

EPS = 1e-5
"""Added to each variance, as in torch's batch norm."""
ATTENTION_GAIN = 0.1
"""Initial gain of the attention. With BigGAN's 0 its convolutions have no gradient in the first
step.
"""


def channels_last(h: Tensor) -> Tensor:
    """h [B, C, H, W] in channels-last memory format (stored as [B, H, W, C])."""
    return h.contiguous(memory_format=torch.channels_last)


def adain(h: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Adaptive instance normalisation: h [B, C, H, W], gamma and beta [B, C]; gamma = beta = 0 is
    instance normalisation.
    """
    return instance_norm(h, 1 + gamma, beta)


def instance_norm(h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise each image's channels over space, then scale and shift: h [B, C, H, W], scale and
    shift [B, C]; the statistics are float32, also under autocast.
    """
    if len(h) > 1 and torch.compiler.is_dynamo_compiling():
        return _instance_norm_at_once(h, scale, shift)
    # batch norm of a single image is its instance norm: one fused operation in channels last
    images = zip(h.split(1), scale, shift, strict=True)
    each = [F.batch_norm(p, None, None, a, b, training=True) for p, a, b in images]
    return each[0] if len(each) == 1 else torch.cat(each)


def _instance_norm_at_once(h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """The same, up to rounding, as one formula: torch.compile fuses it, but would generate separate
    kernels for each image's batch norm.
    """
    x, scale, shift = (at_least_float32(t) for t in (h, scale, shift))
    variance, mean = torch.var_mean(x, (2, 3), correction=0, keepdim=True)
    factor = scale[..., None, None] * (variance + EPS).rsqrt()
    return ((x - mean) * factor + shift[..., None, None]).to(h.dtype)


class InstanceNorm(nn.Module):
    """:func:`instance_norm` with a learned scale and shift, the same for every image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, h: Tensor) -> Tensor:
        return instance_norm(h, self.weight.expand(len(h), -1), self.bias.expand(len(h), -1))


class DownBlock(nn.Module):
    """[B, in, H, W] -> [B, out, H/2, W/2]. ``first`` omits the activation before the first
    convolution (the input is pixels).
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, first: bool = False, norm: bool = False
    ) -> None:
        super().__init__()
        self.first = first
        self.norm1 = InstanceNorm(in_channels) if norm and not first else nn.Identity()
        self.conv1 = SpectralConv2d(in_channels, out_channels, 3, bias=not norm)
        self.norm2 = InstanceNorm(out_channels) if norm else nn.Identity()
        self.conv2 = SpectralConv2d(out_channels, out_channels, 3, bias=not norm)
        self.skip = SpectralConv2d(in_channels, out_channels, 1, bias=not norm)

    def forward(self, h: Tensor) -> Tensor:
        r = h if self.first else F.relu(self.norm1(h))
        r = self.conv2.then_pooled(F.relu(self.norm2(self.conv1(r)), inplace=True))
        # Pooling and a 1x1 convolution commute; this order takes a quarter of the operations.
        return r + self.skip(F.avg_pool2d(h, 2))


class SameBlock(nn.Module):
    """[B, C, H, W] -> [B, C, H, W], without normalisation: the extra block of D at 4x4."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = SpectralConv2d(channels, channels, 3)
        self.conv2 = SpectralConv2d(channels, channels, 3)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.conv2(F.relu(self.conv1(F.relu(h)), inplace=True))


class AdaptiveBlock(nn.Module):
    """AdaIN residual block [B, in, H, W] -> [B, out, s H, s W] with s = 2 when ``up``, else 1.

    Takes :attr:`n_psi` parameters per image: gamma and beta of the first AdaIN (in), then of the
    second (out).
    """

    def __init__(self, in_channels: int, out_channels: int, *, up: bool) -> None:
        super().__init__()
        self.split = [in_channels, in_channels, out_channels, out_channels]
        self.n_psi = sum(self.split)
        self.up = up
        self.conv1 = SpectralConv2d(in_channels, out_channels, 3, bias=False)
        self.conv2 = SpectralConv2d(out_channels, out_channels, 3, bias=False)
        self.skip = SpectralConv2d(in_channels, out_channels, 1, bias=False) if up else None

    def forward(self, h: Tensor, psi: Tensor) -> Tensor:
        gamma1, beta1, gamma2, beta2 = psi.split(self.split, dim=1)
        r = F.relu(adain(h, gamma1, beta1), inplace=True)
        r = self.conv1.on_upsampled(r) if self.up else self.conv1(r)
        r = self.conv2(F.relu(adain(r, gamma2, beta2), inplace=True))
        # Nearest upsampling and a 1x1 convolution commute; this order takes a quarter of the
        # operations.
        return r + (h if self.skip is None else F.interpolate(self.skip(h), scale_factor=2))


class SelfAttention(nn.Module):
    """Self-attention over positions (Zhang et al. 2019): h + gain * attention(h), [B, C, H, W] ->
    [B, C, H, W].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 8, 1)
        self.query = SpectralConv2d(channels, inner, 1, bias=False)
        self.key = SpectralConv2d(channels, inner, 1, bias=False)
        self.value = SpectralConv2d(channels, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.tensor(ATTENTION_GAIN))

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = (f(h).flatten(2).transpose(1, 2) for f in (self.query, self.key, self.value))
        # Written out: v is wider than q and k, a case in which torch's attention is slow.
        attended = (q @ k.mT).softmax(dim=-1) @ v
        return h + self.gain * attended.transpose(1, 2).reshape(h.shape)
