from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headmime.learning.finetune import FineTuneSettings, fine_tune
from headmime.learning.gradients import adam
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import Optimisation
from headmime.nets import Nets
from headmime.nets.discriminator import Discriminator
from headmime.nets.personal import PersonalDiscriminator


def in_bfloat16(cache: bool = True) -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, cache_enabled=cache)


def test_an_update_is_seen_by_the_next_pass_of_the_same_autocast_region() -> None:
    """The gradient of the outputs' sum is 1: Adam lowers a bias of 0 by its rate."""
    layer = nn.Linear(4, 2)
    layer.bias.data.zero_()
    optimizer = adam([{"params": [layer.bias], "lr": 0.5}], beta2=0.999, eps=1e-8)
    with in_bfloat16():
        layer(torch.zeros(1, 4)).sum().backward()
        optimizer.step()
        assert layer(torch.zeros(1, 4)).tolist() == [[-0.5, -0.5]]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For every pass of a discriminator: whether it gave what the weights of that moment give."""
    seen: list[bool] = []

    def watch(kind: type[nn.Module]) -> None:
        forward = kind.forward

        def watched(net: nn.Module, *inputs: Tensor) -> Tensor:
            judgement = forward(net, *inputs)
            with torch.no_grad(), in_bfloat16(cache=False):
                now = forward(net, *inputs)
            seen.append(torch.equal(judgement.score, now.score))
            return judgement

        monkeypatch.setattr(kind, "forward", watched)

    watch(Discriminator)
    watch(PersonalDiscriminator)
    return seen


def test_d_s_second_update_sees_the_first(
    meta_learning: Callable[..., MetaLearning], batch: dict[str, Tensor], compared: list[bool]
) -> None:
    module = meta_learning(optimisation=Optimisation(lr_discriminator=0.1))
    with in_bfloat16():
        module.training_step(batch, 0)
    assert compared == [True] * 5


def test_fine_tuning_s_second_update_sees_the_first(
    nets: Nets, perceptual: nn.Module, compared: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headmime.learning.finetune.computes_in_bfloat16", lambda device: True)
    frames, landmarks = torch.rand(1, 3, 16, 16), np.full((1, 68, 2), 0.5, np.float32)
    settings = FineTuneSettings(epochs=1, lr_discriminator=0.1, bfloat16=True)
    fine_tune(nets, frames, landmarks, settings, perceptual)
    assert compared == [True] * 5
