"""The projection discriminator D(x, y, i; theta, W, w0, b), paper section 3.1."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from headmime.nets.blocks import DownBlock, SameBlock, channels_last
from headmime.nets.downsampling import pooled, trunk
from headmime.nets.shape import ModelShape
from headmime.precision import at_least_float32

W0_DEVIATION = 0.02


class Judgement(NamedTuple):
    """D's output: a score per image [B] float32, and each residual block's features (for L_FM)."""

    score: Tensor
    features: list[Tensor]


class Features(nn.Module):
    """The convolutional part V(x, y; theta): the embedder's architecture and a block at 4x4."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.layers = trunk(shape).append(SameBlock(shape.embedding))

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return V [B, N] float32 and the residual blocks' outputs, for x, y [B, 3, S, S] in [-1,
        1].
        """
        h = channels_last(torch.cat([x, y], dim=1))
        features = []
        for layer in self.layers:
            h = layer(h)
            if isinstance(layer, DownBlock | SameBlock):
                features.append(h)
        return pooled(h), features


def realism(v: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Return V^T w + b in float32: v [B, N], w [B, N] or [N], b [1] -> [B]. The head of Eq. 5 and
    Eq. 9.
    """
    v, w, b = (at_least_float32(t) for t in (v, w, b))
    return (v * w).sum(dim=-1) + b


class Discriminator(nn.Module):
    """D with theta, w0 and b. The columns W_i of the training videos are inputs of forward."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.v = Features(shape)
        self.w0 = nn.Parameter(torch.randn(shape.embedding) * W0_DEVIATION)
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, y: Tensor, W_i: Tensor) -> Judgement:
        """Return D(x, y, i) = V(x, y)^T (W_i + w0) + b (Eq. 5) for x, y [B, 3, S, S] in [-1, 1] and
        rows W_i [B, N].
        """
        v, features = self.v(x, y)
        return Judgement(realism(v, W_i + self.w0, self.b), features)
