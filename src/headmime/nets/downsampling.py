"""The downsampling trunk of embedder and discriminator: (image, drawing) -> 4x4 features."""

from torch import Tensor, nn

from headmime.nets.blocks import DownBlock, SelfAttention
from headmime.nets.shape import ModelShape
from headmime.precision import at_least_float32

IMAGE_AND_DRAWING = 6
"""Input channels: an RGB image and its RGB landmark drawing."""


def trunk(shape: ModelShape) -> nn.ModuleList:
    """Build residual downsampling blocks with self-attention, without normalisation: [B, 6, S, S]
    -> [B, N, 4, 4].
    """
    layers = nn.ModuleList()
    channels, resolution = IMAGE_AND_DRAWING, shape.image_size
    for width in shape.down_channels():
        layers.append(DownBlock(channels, width, first=not layers))
        channels, resolution = width, resolution // 2
        if resolution == shape.attention_down:
            layers.append(SelfAttention(channels))
    return layers


def pooled(h: Tensor) -> Tensor:
    """ReLU, then sum over space: [B, N, H, W] -> [B, N], float32 (float64 for float64 input)."""
    return at_least_float32(h).relu().sum(dim=(2, 3))
