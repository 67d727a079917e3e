"""The paper's training step on random images, for bench.py."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets import build_nets
from headmime.nets.personal import PersonalGenerator, personalise
from headmime.nets.shape import ModelShape
from headmime.pretrained.caffe_vgg import VGG19_TAPS, VGGFACE_TAPS, CaffeVGG
from headmime.pretrained.vgg import CHANNELS, VGG16, VGG19, VGGStack

PAPER = ModelShape()
SOURCES = 8
VIDEOS = {"1k": 1_000, "145k": 145_000, "1m": 1_000_000}


def paper_shape(side: int) -> ModelShape:
    """The paper's networks for images of `side` pixels: wider outer layers for smaller ones."""
    levels = int(math.log2(side)) - 2
    width = max(PAPER.width, PAPER.max_width >> (levels - 1))
    fewer = min(PAPER.generator_levels, levels)
    return replace(PAPER, image_size=side, width=width, generator_levels=fewer)


def gflop(work: Callable[[], Any]) -> float:
    """Floating-point operations of one call, in 1e9, as torch counts them (a multiply-add is 2)."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() / 1e9


def computed_in(dtype: torch.dtype, device: str = "cpu") -> torch.autocast:
    return torch.autocast(device, torch.bfloat16, enabled=dtype == torch.bfloat16)


def paper_module(shape: ModelShape, rows: int) -> MetaLearning:
    """The module to train, without Lightning's trainer."""
    return MetaLearning(build_nets(shape), rows, random_perceptual(), LossWeights(), Optimisation())


def paper_step(
    module: MetaLearning,
    size: int,
    dtype: torch.dtype = torch.bfloat16,
    device: str = "cpu",
    batch: int = 1,
) -> Callable[[], Any]:
    """Return a function that runs one `training_step` on random images of `size`."""
    module.to(device)
    module.on_fit_start()
    optimisers = module.configure_optimizers()
    module.optimizers = lambda: optimisers
    module.manual_backward = lambda loss: loss.backward()
    shapes = {"x_s": (batch, SOURCES), "y_s": (batch, SOURCES), "x_t": (batch,), "y_t": (batch,)}
    episodes = {
        name: torch.rand(*shape, 3, size, size, device=device) * 2 - 1
        for name, shape in shapes.items()
    }
    episodes["row"] = torch.arange(batch, device=device)

    def step() -> None:
        with computed_in(dtype, device):
            module.training_step(episodes, 0)

    return step


def random_perceptual() -> CaffeVGG:
    """Both VGGs with random weights, at the same cost."""
    return CaffeVGG(
        VGGStack(random_features(VGG19), VGG19, VGG19_TAPS, "random"),
        VGGStack(random_features(VGG16), VGG16, VGGFACE_TAPS, "random"),
        {},
    )


def random_features(stages: Sequence[int]) -> dict[str, Tensor]:
    """Random convolutions by Caffe's names."""
    features, inputs = {}, 3
    for stage, (count, outputs) in enumerate(zip(stages, CHANNELS, strict=True), start=1):
        for i in range(1, count + 1):
            features[f"conv{stage}_{i}.weight"] = torch.randn(outputs, inputs, 3, 3) * 0.02
            features[f"conv{stage}_{i}.bias"] = torch.randn(outputs) * 0.02
            inputs = outputs
    return features


def random_person(shape: ModelShape) -> PersonalGenerator:
    nets = build_nets(shape)
    return personalise(
        nets.generator, nets.discriminator, torch.rand(shape.embedding)
    ).generator.eval()
