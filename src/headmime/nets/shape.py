"""Hyperparameters of the networks' architecture, and the layer widths derived from them."""

from dataclasses import dataclass

from headmime.errors import HeadmimeError

FINAL_RESOLUTION = 4
"""Embedder and discriminator downsample the image to 4x4."""


@dataclass
class ModelShape:
    """All hyperparameters of the networks' layers; the defaults are the paper's networks.

    ``image_size`` pixels; ``width`` channels after the first block, doubled per level up to
    ``max_width``, which is also N; ``generator_levels`` down- and upsampling blocks of the
    generator around ``bottleneck_blocks`` blocks at constant resolution; self-attention at
    resolution ``attention_down`` (downsampling parts) and ``attention_up`` (upsampling part).
    """

    image_size: int = 256
    width: int = 64
    max_width: int = 512
    generator_levels: int = 4
    bottleneck_blocks: int = 5
    attention_down: int = 32
    attention_up: int = 64

    def __post_init__(self) -> None:
        size = self.image_size
        if size < 16 or size & (size - 1):
            raise HeadmimeError(f"model.image_size={size} must be a power of two of at least 16.")
        if not 1 <= self.generator_levels <= len(self.down_channels()):
            raise HeadmimeError(
                f"model.generator_levels={self.generator_levels} must lie between 1 and"
                f" {len(self.down_channels())} for images of {size} pixels."
            )
        if self.down_channels()[-1] != self.max_width:
            raise HeadmimeError(
                f"model.width={self.width} never reaches model.max_width={self.max_width} on the"
                f" way from {size} to {FINAL_RESOLUTION} pixels: raise width or lower max_width."
            )

    @property
    def embedding(self) -> int:
        """N, the length of an embedding."""
        return self.max_width

    def down_channels(self) -> list[int]:
        """Channels after each downsampling block, from ``image_size`` to 4x4."""
        levels = (self.image_size // FINAL_RESOLUTION).bit_length() - 1
        return [min(self.width << level, self.max_width) for level in range(levels)]
