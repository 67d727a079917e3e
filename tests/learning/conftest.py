from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape

TINY = ModelShape(
    image_size=16,
    width=4,
    max_width=8,
    generator_levels=2,
    bottleneck_blocks=2,
    attention_down=8,
    attention_up=8,
)
ROWS = 5


class Pooled(nn.Module):
    """Stands for a perceptual network: two sizes of the picture."""

    def forward(self, images: Tensor) -> list[Tensor]:
        return [images, nn.functional.avg_pool2d(images, 4)]


@pytest.fixture
def batch() -> dict[str, Tensor]:
    torch.manual_seed(1)
    names = {"x_s": (3, 2, 3, 16, 16), "y_s": (3, 2, 3, 16, 16)}
    names |= {"x_t": (3, 3, 16, 16), "y_t": (3, 3, 16, 16)}
    return {n: torch.rand(s) * 2 - 1 for n, s in names.items()} | {"row": torch.tensor([0, 2, 3])}


@pytest.fixture
def meta_learning() -> Callable[..., MetaLearning]:
    """Builds the module, always with the same weights, as a Trainer would drive it."""
    return _meta_learning


def _meta_learning(
    weights: LossWeights | None = None,
    optimisation: Optimisation | None = None,
) -> MetaLearning:
    torch.manual_seed(0)
    module = MetaLearning(
        build_nets(TINY),
        ROWS,
        Pooled(),
        weights or LossWeights(),
        optimisation or Optimisation(),
    )
    module.rows.W.normal_(std=0.02)
    module.rows.touched.zero_()  # as if every row had been visited before
    optimisers = module.configure_optimizers()
    module.optimizers = lambda: optimisers
    module.manual_backward = lambda loss: loss.backward()
    return module
