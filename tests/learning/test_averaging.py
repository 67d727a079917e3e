import io
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from headmime.learning.averaging import Averages
from headmime.nets import Nets
from headmime.nets.spectral import SpectralConv2d, SpectralLinear


def started(nets: Nets, decay: float) -> Averages:
    averages = Averages(decay)
    averages.on_fit_start(None, SimpleNamespace(nets=nets))
    return averages


@torch.no_grad()
def move(nets: Nets, by: float) -> None:
    for net in (nets.embedder, nets.generator):
        for p in net.parameters():
            p.add_(by)


def test_by_hand(nets: Nets) -> None:
    """Two updates: d = 2/11, then min(d, 3/12) = 0.2."""
    averages = started(nets, 0.2)
    before = nets.embedder.layers[0].conv1.weight.detach().clone()
    for _ in range(2):
        move(nets, 1.0)
        averages.update(nets)
    expected = 0.2 * (before * 2 / 11 + (before + 1) * 9 / 11) + 0.8 * (before + 2)
    averaged = averages.averaged(nets)
    torch.testing.assert_close(averaged.embedder.layers[0].conv1.weight.detach(), expected)
    torch.testing.assert_close(nets.embedder.layers[0].conv1.weight.detach(), before + 2)
    assert averaged.discriminator is nets.discriminator


def test_sigma_of_the_averages_is_their_largest_singular_value(nets: Nets) -> None:
    averages = started(nets, 0.5)
    torch.manual_seed(3)
    for _ in range(3):
        with torch.no_grad():
            for p in (*nets.embedder.parameters(), *nets.generator.parameters()):
                p.add_(torch.randn_like(p))
        averages.update(nets)
    averaged = averages.averaged(nets)
    layers = [
        m
        for net in (averaged.embedder, averaged.generator)
        for m in net.modules()
        if isinstance(m, SpectralConv2d | SpectralLinear)
    ]
    assert layers
    for layer in layers:
        largest = torch.linalg.svdvals(layer.normalised_weight().detach().flatten(1))[0]
        assert largest.item() == pytest.approx(1, abs=0.02)


def test_its_state_goes_on_where_it_was(nets: Nets) -> None:
    whole, half = started(nets, 0.9), started(nets, 0.9)
    for averages in (whole, half):
        averages.update(nets)
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    other = Averages(0.9)
    other.load_state_dict(torch.load(file, weights_only=True))
    other.on_fit_start(None, SimpleNamespace(nets=nets))
    move(nets, 1.0)
    whole.update(nets)
    other.update(nets)
    assert other.updates == whole.updates == 2
    assert all(torch.equal(a, b) for a, b in zip(whole.averages, other.averages, strict=True))


def test_nothing_of_training_is_shared_with_the_averages(
    meta_learning: Callable, batch: dict[str, Tensor]
) -> None:
    module = meta_learning()
    averages = started(module.nets, 0.5)
    averages.averaged(module.nets)
    before = [a.clone() for a in averages.averages]
    module.training_step(batch, 0)
    assert all(torch.equal(a, b) for a, b in zip(averages.averages, before, strict=True))
    assert not any(a.requires_grad for a in averages.averages)
