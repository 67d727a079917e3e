"""What needs a GPU: `pytest tests/gpu`. With HEADMIME_TEST_DEVICE=cpu the same runs on a CPU, which
shows that the tests are right and nothing else.

Needs torch, pytorch-lightning, hydra-core, simplejpeg, numpy, opencv and pytest alone; the tests of
frames also pillow.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import torch
from torch import Tensor, nn

from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape

ROWS = 5


@pytest.fixture(scope="session")
def device() -> torch.device:
    device = torch.device(os.environ.get("HEADMIME_TEST_DEVICE", "cuda"))
    if device.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA here; HEADMIME_TEST_DEVICE=cpu runs the same on the CPU")
    return device


@pytest.fixture(autouse=True)
def plain_float32() -> Iterator[None]:
    """Without TF32, which has 10 bits of float32's 23."""
    kinds = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [kind.allow_tf32 for kind in kinds]
    for kind in kinds:
        kind.allow_tf32 = False
    yield
    for kind, allowed in zip(kinds, before, strict=True):
        kind.allow_tf32 = allowed


@pytest.fixture
def unwaited(device: torch.device) -> Callable[[], AbstractContextManager[None]]:
    """Inside, whatever makes the CPU wait for the GPU raises."""

    @contextmanager
    def errors() -> Iterator[None]:
        if device.type != "cuda":
            yield
            return
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")

    return errors


@pytest.fixture
def shape() -> ModelShape:
    """Pictures of 32 pixels, attention in every part."""
    return ModelShape(
        image_size=32,
        width=8,
        max_width=16,
        generator_levels=2,
        bottleneck_blocks=2,
        attention_down=8,
        attention_up=16,
    )


@pytest.fixture
def batch(shape: ModelShape) -> dict[str, Tensor]:
    """Four episodes, on the CPU."""
    generator = torch.Generator().manual_seed(1)
    S = shape.image_size
    sizes = {"x_s": (4, 2), "y_s": (4, 2), "x_t": (4,), "y_t": (4,)}
    pictures = {n: torch.rand(*s, 3, S, S, generator=generator) * 2 - 1 for n, s in sizes.items()}
    strips = torch.tensor([[0.3, 0.0, 0.0], [0.0, 0.15, 0.1]]).expand(4, 2, 2, 3)
    return pictures | {"strips_t": strips, "row": torch.tensor([0, 2, 3, 2])}


@pytest.fixture
def meta_learning(shape: ModelShape, perceptual: nn.Module) -> Callable[..., MetaLearning]:
    """Builds the module on a device, always with the same weights, as a Trainer would drive it."""

    def build(device: torch.device | str, **optimisation: float) -> MetaLearning:
        torch.manual_seed(0)
        settings = Optimisation(**optimisation)
        module = MetaLearning(
            build_nets(shape), ROWS, perceptual, LossWeights(pixel=1, closeup=1), settings
        ).to(device)
        optimisers = module.configure_optimizers()
        module.optimizers = lambda: optimisers
        module.manual_backward = lambda loss: loss.backward()
        return module

    return build
