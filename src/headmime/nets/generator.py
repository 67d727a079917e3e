"""The generator G(y, e_hat; psi, P), paper section 3.1: landmark drawing -> image of a person.

:class:`Synthesis` has the person-generic weights psi; the person-specific input is the AdaIN
parameters psi_hat = P e_hat.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headmime.nets.blocks import AdaptiveBlock, DownBlock, SelfAttention, adain, channels_last
from headmime.nets.shape import ModelShape
from headmime.nets.spectral import SpectralConv2d, SpectralLinear
from headmime.precision import at_least_float32


class Synthesis(nn.Module):
    """Landmark drawing and AdaIN parameters -> image: Johnson et al.'s image-to-image network with
    residual blocks.

    Instance-normalised downsampling blocks, AdaIN blocks at constant resolution, AdaIN upsampling
    blocks, and an AdaIN before the last convolution (without it the last ReLU can die: observed
    after 200 updates).
    """

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        widths = shape.down_channels()[: shape.generator_levels]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        channels, resolution = 3, shape.image_size
        for width in widths:
            self.down.append(DownBlock(channels, width, first=not self.down, norm=True))
            channels, resolution = width, resolution // 2
            if resolution == shape.attention_down:
                self.down.append(SelfAttention(channels))
        self.same = nn.ModuleList(
            AdaptiveBlock(channels, channels, up=False) for _ in range(shape.bottleneck_blocks)
        )
        for width in [*widths[-2::-1], widths[0]]:
            self.up.append(AdaptiveBlock(channels, width, up=True))
            channels, resolution = width, resolution * 2
            if resolution == shape.attention_up:
                self.up.append(SelfAttention(channels))
        self.last = channels
        self.to_rgb = SpectralConv2d(channels, 3, 3)

    @property
    def n_psi(self) -> int:
        """A, the number of AdaIN parameters of a person."""
        blocks = (b for b in (*self.same, *self.up) if isinstance(b, AdaptiveBlock))
        return sum(block.n_psi for block in blocks) + 2 * self.last

    def forward(self, y: Tensor, psi: Tensor) -> Tensor:
        """Return images [B, 3, S, S] float32 in (-1, 1) for drawings y [B, 3, S, S] in [-1, 1]
        and psi [B, A].
        """
        h = channels_last(y)
        for block in self.down:
            h = block(h)
        start = 0
        for block in (*self.same, *self.up):
            if isinstance(block, AdaptiveBlock):
                h = block(h, psi[:, start : start + block.n_psi])
                start += block.n_psi
            else:
                h = block(h)
        gamma, beta = psi[:, start:].split(self.last, dim=1)
        h = F.relu(adain(h, gamma, beta), inplace=True)
        return torch.tanh(at_least_float32(self.to_rgb(h)))


class Generator(nn.Module):
    """The meta-learned generator: ``generator(y, generator.project(e_hat))`` is Eq. 2."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.synthesis = Synthesis(shape)
        self.projection = SpectralLinear(shape.embedding, self.synthesis.n_psi, bias=False)

    def project(self, e_hat: Tensor) -> Tensor:
        """Return the person-specific AdaIN parameters psi_hat = P e_hat, [B, N] -> [B, A]."""
        return self.projection(e_hat)

    def forward(self, y: Tensor, psi: Tensor) -> Tensor:
        """Return x_hat = G(y, e_hat; psi, P) (Eq. 2) [B, 3, S, S] from drawings y [B, 3, S, S] and
        psi = P e_hat [B, A].
        """
        return self.synthesis(y, psi)
