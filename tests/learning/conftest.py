from collections.abc import Callable, Collection

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.learning.video_embeddings import VideoEmbeddings
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape

ROWS = 5


@pytest.fixture
def batch() -> dict[str, Tensor]:
    torch.manual_seed(1)
    names = {"x_s": (3, 2, 3, 16, 16), "y_s": (3, 2, 3, 16, 16)}
    names |= {"x_t": (3, 3, 16, 16), "y_t": (3, 3, 16, 16)}
    batch = {n: torch.rand(s) * 2 - 1 for n, s in names.items()}
    strips = torch.tensor([[0.3, 0.0, 0.0], [0.0, 0.15, 0.1]]).expand(3, 2, 2, 3)
    return batch | {"strips_t": strips, "row": torch.tensor([0, 2, 3])}


@pytest.fixture
def person() -> tuple[Tensor, np.ndarray]:
    """Two frames and their landmarks."""
    rng = np.random.default_rng(0)
    frames = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return frames, rng.uniform(0.2, 0.8, (2, 68, 2)).astype(np.float32)


@pytest.fixture
def meta_learning(tiny: ModelShape, perceptual: nn.Module) -> Callable[..., MetaLearning]:
    """Builds the module, always with the same weights, as a Trainer would drive it."""

    def build(
        weights: LossWeights | None = None,
        optimisation: Optimisation | None = None,
        inherited: Collection[str] = (),
    ) -> MetaLearning:
        torch.manual_seed(0)
        module = MetaLearning(
            build_nets(tiny),
            ROWS,
            perceptual,
            weights or LossWeights(),
            optimisation or Optimisation(),
            inherited,
        )
        if isinstance(module.video_embeddings, VideoEmbeddings):
            module.video_embeddings.W.normal_(std=0.02)
            module.video_embeddings.touched.zero_()  # as if every row had been visited before
        optimisers = module.configure_optimizers()
        module.optimizers = lambda: optimisers
        module.manual_backward = lambda loss: loss.backward()
        return module

    return build
