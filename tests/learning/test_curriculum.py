"""Stages of a run: which images, which rates, for how long, and what smaller images change."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from headmime.learning.curriculum import Curriculum, keep_magnitude, rate_at, side_at
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation, Stage
from headmime.nets import Nets

STAGES = [Stage(side=64, episodes=10), Stage(side=128, episodes=20, rate=0.5)]


def shrunk(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same episodes with images of half the side."""
    halves = {
        name: F.avg_pool2d(batch[name].flatten(0, -4), 2).unflatten(0, batch[name].shape[:-3])
        for name in ("x_s", "y_s", "x_t", "y_t")
    }
    return batch | halves


def seen(episodes: int) -> SimpleNamespace:
    """A trainer that has drawn so many episodes, the present update's among them."""
    return SimpleNamespace(datamodule=SimpleNamespace(episodes=episodes))


@pytest.mark.parametrize(
    ("episode", "side", "rate"),
    [(0, 64, 1), (9, 64, 1), (10, 128, 0.5), (29, 128, 0.5), (30, 256, 1), (10**6, 256, 1)],
)
def test_stages_follow_each_other_by_episodes(episode: int, side: int, rate: float) -> None:
    assert side_at(STAGES, 256, episode) == side
    assert rate_at(STAGES, 0, episode) == rate


def test_rates_rise_over_the_first_episodes() -> None:
    assert [rate_at([], 4, episode) for episode in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert rate_at(STAGES, 40, 19) == 0.5 * 0.5


def rates(module: MetaLearning) -> list[list[float]]:
    return [[g["lr"] for g in optimiser.param_groups] for optimiser in module.optimizers()]


def test_all_rates_are_those_of_the_stage(meta_learning: Callable[..., MetaLearning]) -> None:
    module = meta_learning(
        None, Optimisation(lr_generator=1, lr_discriminator=2, lr_video_embeddings=8)
    )
    curriculum = Curriculum(STAGES, 16, warmup=0, new_layers_first=0)
    for episodes, factor in ((10, 1), (11, 0.5), (30, 0.5), (31, 1)):
        curriculum.on_train_batch_start(seen(episodes), module, {}, 0)
        assert rates(module) == [[1 * factor], [2 * factor]]
        assert module.video_embeddings.lr == 8 * factor


def test_inherited_layers_stay_until_the_new_ones_have_learnt(
    meta_learning: Callable[..., MetaLearning], batch: dict[str, Tensor]
) -> None:
    own = meta_learning(LossWeights(pixel=1.0))
    names = [f"{net}.{name}" for net in Nets._fields for name in state(own, net)]
    inherited = [name for name in names if "layers.0." not in name]
    assert 0 < len(inherited) < len(names)
    module = meta_learning(LossWeights(pixel=1.0), None, inherited)
    curriculum = Curriculum([], 16, warmup=0, new_layers_first=6)
    for episodes, still in ((3, True), (6, True), (9, False)):
        before = {n: p.detach().clone() for n, p in module.named_parameters()}
        curriculum.on_train_batch_start(seen(episodes), module, batch, 0)
        module.training_step(dict(batch), 0)
        after = dict(module.named_parameters())
        same = {n for n in names if torch.equal(before[n], after[n])} - {"discriminator.b"}
        assert same == (set(inherited) - {"discriminator.b"} if still else set())


def state(module: MetaLearning, net: str) -> dict[str, Tensor]:
    return dict(getattr(module, net).named_parameters())


def test_sums_over_fewer_places_count_more_and_full_size_is_as_before(
    nets: Nets, batch: dict[str, Tensor]
) -> None:
    def sums(batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        e_hat = nets.embedder(batch["x_s"], batch["y_s"])
        return e_hat, *nets.discriminator.v(batch["x_t"], batch["y_t"])

    with torch.no_grad():
        small = shrunk(batch)
        large_before, small_before = sums(batch), sums(small)
        keep_magnitude(nets, 16)
        large_after, small_after = sums(batch), sums(small)
    assert torch.equal(large_after[0], large_before[0])
    assert torch.equal(large_after[1], large_before[1])
    for after, before in zip(small_after[:2], small_before[:2], strict=True):
        torch.testing.assert_close(after, 4 * before)
    assert all(torch.equal(a, b) for a, b in zip(small_after[2], small_before[2], strict=True))


def test_a_step_at_a_smaller_side_reaches_every_weight_with_close_ups(
    meta_learning: Callable[..., MetaLearning], batch: dict[str, Tensor]
) -> None:
    module = meta_learning(LossWeights(pixel=1.0, closeup=1.0))
    curriculum = Curriculum([Stage(side=8, episodes=10)], 16, warmup=0, new_layers_first=0)
    curriculum.on_fit_start(None, module)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    curriculum.on_train_batch_start(seen(3), module, batch, 0)
    terms = module.training_step(shrunk(batch), 0)
    assert all(torch.isfinite(value) for value in terms.values()) and "loss/near" in terms
    still = {n for n, p in module.named_parameters() if torch.equal(p, before[n])}
    assert still <= {"discriminator.b"}  # no hinge is saturated: the gradients are 1 and -1
