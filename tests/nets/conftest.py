import pytest
import torch

from headmime.nets import Nets, build_nets
from headmime.nets.shape import ModelShape


@pytest.fixture
def tiny() -> ModelShape:
    """Pictures of 16 pixels, N = 8, attention in every part."""
    return ModelShape(
        image_size=16,
        width=4,
        max_width=8,
        generator_levels=2,
        bottleneck_blocks=2,
        attention_down=8,
        attention_up=8,
    )


@pytest.fixture
def nets(tiny: ModelShape) -> Nets:
    torch.manual_seed(0)
    return build_nets(tiny)
