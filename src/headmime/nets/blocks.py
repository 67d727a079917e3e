"""The residual and attention blocks that the three networks share (BigGAN's blocks, with spectral
normalisation).

A convolution that feeds a normalisation has no bias: the normalisation would remove it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headmime.nets.spectral import SpectralConv2d

ATTENTION_GAIN = 0.1
"""Start of the attention's gain. BigGAN starts at 0, which gives the attention's convolutions no
gradient in the first step.
"""


def adain(h: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Adaptive instance normalisation: h [B, C, H, W], gamma and beta [B, C]; gamma = beta = 0 is
    instance normalisation.
    """
    normed = F.instance_norm(h)
    return normed * (1 + gamma)[:, :, None, None] + beta[:, :, None, None]


class DownBlock(nn.Module):
    """[B, in, H, W] -> [B, out, H/2, W/2]. ``first`` leaves out the activation before the first
    convolution (raw pixels).
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, first: bool = False, norm: bool = False
    ) -> None:
        super().__init__()
        self.first = first
        self.norm1 = (
            nn.InstanceNorm2d(in_channels, affine=True) if norm and not first else nn.Identity()
        )
        self.conv1 = SpectralConv2d(in_channels, out_channels, 3, bias=not norm)
        self.norm2 = nn.InstanceNorm2d(out_channels, affine=True) if norm else nn.Identity()
        self.conv2 = SpectralConv2d(out_channels, out_channels, 3, bias=not norm)
        self.skip = SpectralConv2d(in_channels, out_channels, 1, bias=not norm)

    def forward(self, h: Tensor) -> Tensor:
        r = h if self.first else F.relu(self.norm1(h))
        r = self.conv2(F.relu(self.norm2(self.conv1(r))))
        # Pooling and a 1x1 convolution commute; this order costs a quarter.
        return F.avg_pool2d(r, 2) + self.skip(F.avg_pool2d(h, 2))


class SameBlock(nn.Module):
    """[B, C, H, W] -> the same shape, without normalisation: the discriminator's extra block at
    4x4.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = SpectralConv2d(channels, channels, 3)
        self.conv2 = SpectralConv2d(channels, channels, 3)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.conv2(F.relu(self.conv1(F.relu(h))))


class AdaptiveBlock(nn.Module):
    """AdaIN residual block [B, in, H, W] -> [B, out, s H, s W] with s = 2 when ``up``, else 1.

    It reads :attr:`n_psi` numbers per picture: gamma and beta of the first AdaIN (in), then of the
    second (out).
    """

    def __init__(self, in_channels: int, out_channels: int, *, up: bool) -> None:
        super().__init__()
        self.split = [in_channels, in_channels, out_channels, out_channels]
        self.n_psi = sum(self.split)
        self.scale = 2 if up else 1
        self.conv1 = SpectralConv2d(in_channels, out_channels, 3, bias=False)
        self.conv2 = SpectralConv2d(out_channels, out_channels, 3, bias=False)
        self.skip = (
            SpectralConv2d(in_channels, out_channels, 1, bias=False) if up else nn.Identity()
        )

    def _upsample(self, h: Tensor) -> Tensor:
        return F.interpolate(h, scale_factor=2, mode="nearest") if self.scale == 2 else h

    def forward(self, h: Tensor, psi: Tensor) -> Tensor:
        gamma1, beta1, gamma2, beta2 = psi.split(self.split, dim=1)
        r = self.conv1(self._upsample(F.relu(adain(h, gamma1, beta1))))
        r = self.conv2(F.relu(adain(r, gamma2, beta2)))
        # Nearest upsampling and a 1x1 convolution commute; this order costs a quarter.
        return r + self._upsample(self.skip(h))


class SelfAttention(nn.Module):
    """Self-attention over positions (Zhang et al. 2019): h + gain * attention(h), [B, C, H, W] ->
    the same shape.
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
        attended = F.scaled_dot_product_attention(q, k, v, scale=1.0)
        return h + self.gain * attended.transpose(1, 2).reshape(h.shape)
