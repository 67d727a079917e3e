import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.learning.video_embeddings import UNTOUCHED
from headmime.losses import matching_loss
from headmime.nets.spectral import power_iterate

Batch = dict[str, Tensor]
Make = Callable[..., MetaLearning]

ADAM_OF_ROWS = {
    "video_embeddings.second_moment",
    "video_embeddings.touched",
    "video_embeddings.updates",
}


def state(module: MetaLearning) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """The weights that changed; u and v of spectral norm move with every update."""
    names = {n for n in before if not n.endswith((".u", ".v"))}
    return {n for n in names if not torch.equal(before[n], after[n])}


def parts(names: set[str]) -> set[str]:
    """What of the module they belong to: "embedder" for `embedder.layers.0.conv1.weight`."""
    return {name.split(".")[0] for name in names}


def step(module: MetaLearning, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    before = state(module)
    module.training_step(batch, 0)
    return before, state(module)


def row_gradients(module: MetaLearning, batch: Batch) -> list[Tensor]:
    seen = []
    module.video_embeddings.update = lambda i, gradient: seen.append(gradient.clone())
    module.training_step(batch, 0)
    return seen


def test_an_update_reaches_every_weight_and_the_batch_s_rows_only(
    meta_learning: Make, batch: Batch
) -> None:
    module = meta_learning()
    before, after = step(module, batch)
    # b: while no hinge is saturated, the gradients of its two terms are 1 and -1
    parameters = {name for name, _ in module.named_parameters()} - {"discriminator.b"}
    assert parameters <= moved(before, after)
    rows = (before["video_embeddings.W"] != after["video_embeddings.W"]).all(1)
    assert rows.tolist() == [True, False, True, True, False]


def test_an_update_moves_the_spectral_vectors_of_all_three(
    meta_learning: Make, batch: Batch
) -> None:
    module = meta_learning(optimisation=Optimisation(discriminator_steps=1))
    vectors = {name: u for name, u in module.named_buffers() if name.endswith(".u")}
    assert parts(set(vectors)) == {"embedder", "generator", "discriminator"}
    drawn = {name: u.copy_(torch.randn_like(u)).clone() for name, u in vectors.items()}
    module.training_step(batch, 0)
    assert not [name for name, u in vectors.items() if torch.allclose(u, drawn[name])]


def test_the_generator_s_update_moves_neither_theta_nor_w0_nor_b(
    meta_learning: Make, batch: Batch
) -> None:
    module = meta_learning(optimisation=Optimisation(lr_discriminator=0.0, lr_video_embeddings=0.0))
    changed = moved(*step(module, batch))
    assert parts(changed - ADAM_OF_ROWS) == {"embedder", "generator"}


def test_the_discriminator_s_update_moves_neither_phi_nor_psi_nor_p(
    meta_learning: Make, batch: Batch
) -> None:
    module = meta_learning(optimisation=Optimisation(lr_generator=0.0))
    module.discriminator.b.data.fill_(3.0)  # saturates the hinge of the real frames
    changed = moved(*step(module, batch))
    assert "discriminator.w0" in changed
    assert "discriminator.b" in changed
    assert parts(changed) == {"discriminator", "video_embeddings"}


def test_neither_d_nor_rows_hear_of_l_adv(meta_learning: Make, batch: Batch) -> None:
    """Their gradients are the same whatever -D(x_hat) and L_FM count."""
    found = []
    for weight in (0.0, 100.0):
        weights = LossWeights(adversarial=weight, feature_matching=weight)
        module = meta_learning(weights, Optimisation(discriminator_steps=1))
        (of_rows,) = row_gradients(module, batch)
        found.append([of_rows, *(p.grad for p in module.discriminator.parameters())])
    assert all(gradient.any() for gradient in found[0][:2])
    torch.testing.assert_close(*found)


def test_rows_hear_of_the_generator_s_update_through_matching_only(
    meta_learning: Make, batch: Batch
) -> None:
    """L_MCH's gradient waits for D's first update and is in no other."""
    still = Optimisation(lr_video_embeddings=0.0)
    without = row_gradients(meta_learning(LossWeights(matching=0.0), still), batch)
    with_it = row_gradients(meta_learning(LossWeights(matching=10.0), still), batch)
    module = meta_learning()
    W_i = module.video_embeddings.fetch(batch["row"])
    e_hat = module.embedder(batch["x_s"], batch["y_s"])
    (10.0 * matching_loss(e_hat, W_i)).backward()
    assert len(without) == len(with_it) == 2
    torch.testing.assert_close(with_it[0] - without[0], W_i.grad)
    # D's second gradient differs only as far as D's first update left D where it was: not at all
    torch.testing.assert_close(with_it[1], without[1])


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("content", "cnt"),
        ("adversarial", "adv"),
        ("feature_matching", "fm"),
        ("matching", "mch"),
        ("pixel", "pix"),
    ],
)
def test_every_weight_changes_the_total(
    meta_learning: Make, name: str, term: str, batch: Batch
) -> None:
    with_pixels = LossWeights(pixel=1.0)
    raised = dataclasses.replace(with_pixels, **{name: getattr(with_pixels, name) + 1})
    one = meta_learning(with_pixels).training_step(batch, 0)
    other = meta_learning(raised).training_step(batch, 0)
    assert other["loss/total"] - one["loss/total"] == pytest.approx(
        one[f"loss/{term}"].item(), rel=1e-3
    )


def test_close_ups_of_eyes_and_mouth_are_a_term_of_their_own(
    meta_learning: Make, batch: Batch
) -> None:
    without, one, two = (
        meta_learning(LossWeights(closeup=weight)).training_step(batch, 0) for weight in (0, 1, 2)
    )
    assert "loss/near" not in without
    assert one["loss/near"] > 0
    for more, less in ((one, without), (two, one)):
        assert more["loss/total"] - less["loss/total"] == pytest.approx(
            one["loss/near"].item(), rel=1e-3
        )


def test_every_update_of_d_sees_the_same_batch_and_the_same_output(
    meta_learning: Make, batch: Batch
) -> None:
    module = meta_learning()
    seen: list[tuple[Tensor, bool]] = []
    module.discriminator.register_forward_hook(
        lambda _, inputs, __: seen.append((inputs[0].detach(), inputs[0].requires_grad))
    )
    module.training_step(batch, 0)
    real = [x for x, _ in seen if torch.equal(x, batch["x_t"])]
    fake = [(x, attached) for x, attached in seen if not torch.equal(x, batch["x_t"])]
    assert len(real) == 2
    assert [attached for _, attached in fake] == [True, False, False]
    assert all(torch.equal(x, fake[0][0]) for x, _ in fake)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_d_is_updated_as_often_as_asked(meta_learning: Make, steps: int, batch: Batch) -> None:
    module = meta_learning(optimisation=Optimisation(discriminator_steps=steps))
    module.training_step(batch, 0)
    assert module.video_embeddings.updates.item() == steps


def test_two_runs_with_one_seed_are_equal(meta_learning: Make, batch: Batch) -> None:
    one, other = meta_learning(), meta_learning()
    for _ in range(3):
        one.training_step(batch, 0)
        other.training_step(batch, 0)
    assert all(torch.equal(a, state(other)[n]) for n, a in state(one).items())


def test_rows_start_from_their_first_embedding(meta_learning: Make, batch: Batch) -> None:
    module = meta_learning(optimisation=Optimisation(lr_video_embeddings=0.0, lr_generator=0.0))
    module.video_embeddings.touched.fill_(UNTOUCHED)
    module.training_step(batch, 0)
    first = module.video_embeddings.W[batch["row"]].clone()
    module.training_step({**batch, "x_s": -batch["x_s"]}, 0)
    assert torch.equal(
        module.video_embeddings.W[batch["row"]], first
    )  # touched rows are not set again
    fresh = meta_learning()
    power_iterate(fresh.embedder)
    torch.testing.assert_close(first, fresh.embedder(batch["x_s"], batch["y_s"]))


def test_perceptual_networks_are_no_part_of_the_checkpoint(
    meta_learning: Make, perceptual: nn.Module
) -> None:
    module = meta_learning()
    assert all(part is not perceptual for part in module.modules())
    assert parts(set(module.state_dict())) == {
        "embedder",
        "generator",
        "discriminator",
        "video_embeddings",
    }


def test_terms_are_detached(meta_learning: Make, batch: Batch) -> None:
    assert not [n for n, t in meta_learning().training_step(batch, 0).items() if t.requires_grad]
