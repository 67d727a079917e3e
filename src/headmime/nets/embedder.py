"""The embedder E(x, y; phi), paper section 3.1."""

import torch
from torch import Tensor, nn

from headmime.nets.blocks import channels_last
from headmime.nets.downsampling import pooled, trunk
from headmime.nets.shape import ModelShape


class Embedder(nn.Module):
    """E: images of a person and their landmark drawings -> one embedding."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.layers = trunk(shape)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return e_hat [B, N] float32, the mean over K source frames (Eq. 1; Eq. 7 for a new
        person).

        x, y: frames and drawings [B, K, 3, S, S] in [-1, 1].
        """
        B, K = x.shape[:2]
        h = channels_last(torch.cat([x, y], dim=2).flatten(0, 1))
        for layer in self.layers:
            h = layer(h)
        return pooled(h).view(B, K, -1).mean(dim=1)
