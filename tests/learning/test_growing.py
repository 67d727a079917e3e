"""A run that begins with smaller pictures: what they are, for how long, and what they change."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from headmime.learning.growing import Growing, keep_magnitude, shrunk
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights
from headmime.nets import Nets


def test_pictures_are_averaged_and_lines_stay_as_bright(batch: dict[str, Tensor]) -> None:
    line = torch.full((3, 3, 16, 16), -1.0)
    line[..., 5] = 1  # one pixel wide
    small = shrunk({**batch, "y_t": line}, 8)
    assert small.keys() == {"x_s", "x_t", "y_s", "y_t"}  # strips and rows stay what they are
    assert small["x_s"].shape == small["y_s"].shape == (3, 2, 3, 8, 8)
    mean = batch["x_s"][1, 1, 2, 4:6, 6:8].mean()
    torch.testing.assert_close(small["x_s"][1, 1, 2, 2, 3], mean)
    expected = torch.full((3, 3, 8, 8), -1.0)
    expected[..., 2] = 1
    assert torch.equal(small["y_t"], expected)


@pytest.mark.parametrize(("seen", "side"), [(2, 8), (10, 8), (11, 16), (400, 16)])
def test_episodes_seen_decide(batch: dict[str, Tensor], seen: int, side: int) -> None:
    """They count this step's, of all processes, and those before a resumption."""
    trainer = SimpleNamespace(datamodule=SimpleNamespace(episodes=seen))
    Growing(side=8, episodes=10, size=16).on_train_batch_start(trainer, None, batch, 0)
    assert {batch[name].shape[-1] for name in ("x_s", "y_s", "x_t", "y_t")} == {side}


def test_sums_over_fewer_places_count_more_and_full_size_is_as_before(
    nets: Nets, batch: dict[str, Tensor]
) -> None:
    def sums(batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        e_hat = nets.embedder(batch["x_s"], batch["y_s"])
        return e_hat, *nets.discriminator.v(batch["x_t"], batch["y_t"])

    with torch.no_grad():
        small = shrunk(batch, 8)
        large_before, small_before = sums(batch), sums(small)
        keep_magnitude(nets, 16)
        large_after, small_after = sums(batch), sums(small)
    assert torch.equal(large_after[0], large_before[0])
    assert torch.equal(large_after[1], large_before[1])
    for after, before in zip(small_after[:2], small_before[:2], strict=True):
        torch.testing.assert_close(after, 4 * before)
    assert all(torch.equal(a, b) for a, b in zip(small_after[2], small_before[2], strict=True))


def test_a_step_at_the_smaller_side_reaches_every_weight(
    meta_learning: Callable[..., MetaLearning], batch: dict[str, Tensor]
) -> None:
    module = meta_learning(LossWeights(pixel=1.0, closeup=1.0))
    growing = Growing(side=8, episodes=10, size=16)
    growing.on_fit_start(None, module)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    growing.on_train_batch_start(
        SimpleNamespace(datamodule=SimpleNamespace(episodes=3)), module, batch, 0
    )
    terms = module.training_step(batch, 0)
    assert all(torch.isfinite(value) for value in terms.values()) and "loss/near" in terms
    still = {n for n, p in module.named_parameters() if torch.equal(p, before[n])}
    assert still <= {"discriminator.b"}  # no hinge is saturated: the gradients are 1 and -1
