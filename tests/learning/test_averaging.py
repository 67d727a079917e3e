import io
from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from headmime.learning.averaging import MovingAverages
from headmime.nets import Nets
from headmime.nets.spectral import SpectralConv2d, SpectralLinear


def started(nets: Nets, half_life: int) -> MovingAverages:
    averages = MovingAverages(half_life)
    averages.on_fit_start(None, SimpleNamespace(nets=nets))
    return averages


@torch.no_grad()
def move(nets: Nets, by: float) -> None:
    for net in (nets.embedder, nets.generator):
        for p in net.parameters():
            p.add_(by)


def test_by_hand(nets: Nets) -> None:
    """Early the half-life is a twentieth of the episodes seen, later what was asked for."""
    averages = started(nets, 8)
    before = nets.embedder.layers[0].conv1.weight.detach().clone()
    for episodes in (40, 44):
        move(nets, 1.0)
        averages.update(nets, episodes)
    first = 0.5 ** (40 / 2)
    second = 0.5 ** (4 / 2.2)
    expected = second * (before * first + (before + 1) * (1 - first)) + (1 - second) * (before + 2)
    averaged = averages.averaged_nets(nets)
    torch.testing.assert_close(averaged.embedder.layers[0].conv1.weight.detach(), expected)
    torch.testing.assert_close(nets.embedder.layers[0].conv1.weight.detach(), before + 2)
    assert averaged.discriminator is nets.discriminator


def test_a_larger_batch_forgets_no_faster(nets: Nets) -> None:
    """Four updates of 4 episodes, or one of 16: the same share of the start is left."""
    left = []
    for batch in (4, 16):
        averages = started(nets, 8)
        averages.episodes = 1000
        averages.averages = [torch.ones_like(a) for a in averages.averages]
        zero = deepcopy(nets)
        with torch.no_grad():
            for p in (*zero.embedder.parameters(), *zero.generator.parameters()):
                p.zero_()
        for episodes in range(1000 + batch, 1017, batch):
            averages.update(zero, episodes)
        left.append(averages.averages[0].max().item())
    assert left == pytest.approx([0.25, 0.25])


def test_sigma_of_the_averages_is_their_largest_singular_value(nets: Nets) -> None:
    averages = started(nets, 4)
    torch.manual_seed(3)
    for update in range(3):
        with torch.no_grad():
            for p in (*nets.embedder.parameters(), *nets.generator.parameters()):
                p.add_(torch.randn_like(p))
        averages.update(nets, 4 * (update + 1))
    averaged = averages.averaged_nets(nets)
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
    whole, half = started(nets, 4), started(nets, 4)
    for averages in (whole, half):
        averages.update(nets, 400)
    file = io.BytesIO()
    torch.save(half.state_dict(), file)
    file.seek(0)
    other = MovingAverages(4)
    other.load_state_dict(torch.load(file, weights_only=True))
    other.on_fit_start(None, SimpleNamespace(nets=nets))
    move(nets, 1.0)
    whole.update(nets, 404)
    other.update(nets, 404)
    assert other.episodes == whole.episodes == 404
    assert all(torch.equal(a, b) for a, b in zip(whole.averages, other.averages, strict=True))


def test_nothing_of_training_is_shared_with_the_averages(
    meta_learning: Callable, batch: dict[str, Tensor]
) -> None:
    module = meta_learning()
    averages = started(module.nets, 4)
    averages.averaged_nets(module.nets)
    before = [a.clone() for a in averages.averages]
    module.training_step(batch, 0)
    assert all(torch.equal(a, b) for a, b in zip(averages.averages, before, strict=True))
    assert not any(a.requires_grad for a in averages.averages)
