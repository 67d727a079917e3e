"""What an ablation leaves out is gone to the last bit, and nothing else is."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from headmime.errors import HeadmimeError
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation

Batch = dict[str, Tensor]
Make = Callable[..., MetaLearning]
WITHOUT_W = (LossWeights(matching=0.0), Optimisation(lr_video_embeddings=None))


def generator_gradients(module: MetaLearning, batch: Batch) -> dict[str, Tensor]:
    """What E and G received in one step."""
    module.training_step(batch, 0)
    named = {n: p.grad for n, p in module.named_parameters() if "discriminator" not in n}
    return {name: gradient.clone() for name, gradient in named.items()}


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def test_without_matching_the_embedder_does_not_know_w(meta_learning: Make, batch: Batch) -> None:
    """With L_MCH the rows' place moves E; without it the same rows may be anywhere."""
    near, far = {}, {}
    for matching in (0.0, 10.0):
        # the adversarial terms also see W, through D's score: off, to look at L_MCH alone
        weights = LossWeights(matching=matching, adversarial=0.0, feature_matching=0.0)
        near[matching] = generator_gradients(meta_learning(weights), batch)
        elsewhere = meta_learning(weights)
        elsewhere.video_embeddings.W.add_(7.0)
        far[matching] = generator_gradients(elsewhere, batch)
    assert equal(near[0.0], far[0.0])
    assert not equal(near[10.0], far[10.0])


def test_without_feature_matching_d_s_features_of_the_real_frame_do_not_matter(
    meta_learning: Make, batch: Batch
) -> None:
    """L_FM is the only way from the target's features to E and G when L_CNT and pixels are off."""
    other = batch | {"x_t": batch["x_t"].flip(0)}
    for weight, same in ((0.0, True), (10.0, False)):
        weights = LossWeights(content=0.0, feature_matching=weight, matching=0.0)
        one = generator_gradients(meta_learning(weights), batch)
        assert equal(one, generator_gradients(meta_learning(weights), other)) is same


def test_without_w_the_score_is_v_times_w0_plus_b(meta_learning: Make, batch: Batch) -> None:
    module = meta_learning(*WITHOUT_W)
    D = module.discriminator
    W_i = module.video_embeddings.fetch(batch["row"])
    v, _ = D.v(batch["x_t"], batch["y_t"])
    torch.testing.assert_close(D(batch["x_t"], batch["y_t"], W_i).score, v @ D.w0 + D.b)


def test_without_w_nothing_depends_on_who_it_is(meta_learning: Make, batch: Batch) -> None:
    one, other = meta_learning(*WITHOUT_W), meta_learning(*WITHOUT_W)
    for _ in range(2):
        one.training_step(batch, 0)
        other.training_step(batch | {"row": torch.tensor([4, 4, 1])}, 0)
    assert equal(one.state_dict(), other.state_dict())
    kept = {name.split(".")[0] for name in one.state_dict()}
    assert kept == {"embedder", "generator", "discriminator"}
    assert not one.video_embeddings.fetch(batch["row"]).any()


def test_with_w_it_does(meta_learning: Make, batch: Batch) -> None:
    one, other = meta_learning(), meta_learning()
    one.training_step(batch, 0)
    other.training_step(batch | {"row": torch.tensor([4, 4, 1])}, 0)
    assert not equal(one.state_dict(), other.state_dict())


def test_matching_without_w_is_refused(meta_learning: Make) -> None:
    with pytest.raises(HeadmimeError, match=r"loss\.matching=0"):
        meta_learning(LossWeights(), Optimisation(lr_video_embeddings=None))


def test_one_step_of_d_is_the_first_of_two(meta_learning: Make, batch: Batch) -> None:
    """E and G move the same; D is updated once, the first time as with two."""
    updates: dict[int, list[Tensor]] = {1: [], 2: []}
    for steps, gradients in updates.items():
        module = meta_learning(optimisation=Optimisation(discriminator_steps=steps))
        update = module.video_embeddings.update
        module.video_embeddings.update = lambda i, g, u=update, seen=gradients: (
            seen.append(g.clone()),
            u(i, g),
        )
        module.training_step(batch, 0)
    assert [len(gradients) for gradients in updates.values()] == [1, 2]
    assert torch.equal(updates[1][0], updates[2][0])


def test_the_score_reaches_the_generator_and_the_embedder(
    meta_learning: Make, batch: Batch
) -> None:
    """One joint backward of -D(x_hat) and max(0, 1 + D(x_hat)) would cancel it to exactly 0."""
    alone = LossWeights(content=0.0, adversarial=1.0, feature_matching=0.0, matching=0.0)
    gradients = generator_gradients(meta_learning(alone), batch)
    assert gradients["generator.synthesis.to_rgb.weight"].any()
    assert gradients["embedder.layers.0.conv1.weight"].any()
