"""Fine-tuning and frames on a GPU in name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from headmime.learning.finetune import FineTuneSettings, fine_tune
from headmime.learning.jitter import Jitter
from headmime.learning.rehearsal import Rehearsal
from headmime.learning.settings import LossWeights
from headmime.nets import Nets, build_nets
from headmime.nets.inference import for_inference
from headmime.nets.shape import ModelShape

LANDMARKS = np.random.default_rng(0).uniform(0.3, 0.7, (3, 68, 2)).astype(np.float32)
LAUNCHES = {False: 4_600, True: 5_200}
"""Of a person and two updates, at most, by bfloat16; 4,363 and 4,971 were found."""


@pytest.mark.usefixtures("fake_cuda", "copies")
@pytest.mark.parametrize("bfloat16", [False, True])
def test_fine_tuning_waits_for_nothing_but_its_own_pictures(
    bfloat16: bool,
    tiny: ModelShape,
    perceptual: nn.Module,
    to_cuda: Callable[[nn.Module], nn.Module],
    trace: Any,
) -> None:
    nets = Nets(*(to_cuda(net) for net in build_nets(tiny)))
    settings = FineTuneSettings(
        maximum_steps=2,
        batch=2,
        rehearsal=2,
        weights=LossWeights(closeup=1, pixel=1),
        jitter=Jitter(10, 0.1, 0.05),
        bfloat16=bfloat16,
    )
    S = tiny.image_size
    others = Rehearsal.of(nets, [(np.zeros((3, S, S, 3), np.uint8), LANDMARKS)])
    frames = torch.empty(3, 3, S, S, device="cuda")
    with trace:
        person = fine_tune(nets, frames, LANDMARKS, settings, perceptual, None, others)
    # drawings, strips and the numbers of frames are made on the CPU, and sent
    assert not [wait for wait in trace.waits if "cpu" in wait or "_local_scalar_dense" in wait]
    assert trace.launches.total() <= LAUNCHES[bfloat16], trace.launches.most_common(12)
    own = [*person.generator.parameters(), *person.discriminator.parameters()]
    assert {p.device.type for p in own} == {"cuda"}


@pytest.mark.usefixtures("fake_cuda", "copies")
def test_frames_are_made_on_the_device(
    tiny: ModelShape, to_cuda: Callable[[nn.Module], nn.Module], trace: Any
) -> None:
    G = to_cuda(build_nets(tiny).generator)
    psi = torch.empty(G.synthesis.n_psi, device="cuda")
    graph = for_inference(G, psi, torch.bfloat16)
    y = torch.empty(2, 3, tiny.image_size, tiny.image_size, device="cuda")
    with trace, torch.inference_mode():
        x_hat = graph(y)
    assert (x_hat.device.type, x_hat.dtype, x_hat.shape) == ("cuda", torch.float32, y.shape)
    assert trace.waits == []
