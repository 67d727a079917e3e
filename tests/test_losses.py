import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headmime.losses import (
    adversarial_loss,
    content_loss,
    feature_matching_loss,
    hinge_loss,
    matching_loss,
    pixel_loss,
)


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def test_hinge() -> None:
    assert hinge_loss(torch.zeros(3), torch.zeros(3)).item() == 2
    assert hinge_loss(torch.tensor([-1.0]), torch.tensor([1.0])).item() == 0
    assert hinge_loss(torch.tensor([2.0, -3.0]), torch.tensor([0.5, 4.0])).item() == 1.5 + 0.25


def test_hinge_pushes_real_up_and_fake_down() -> None:
    fake, real = leaf(0.0), leaf(0.0)
    hinge_loss(fake, real).backward()
    assert (fake.grad.item(), real.grad.item()) == (1, -1)


def test_matching_is_a_mean_over_n_and_reaches_both_sides() -> None:
    e = torch.rand(2, 512)
    assert matching_loss(e, e).item() == 0
    assert matching_loss(torch.zeros(1, 512), torch.full((1, 512), 0.5)).item() == 0.5
    e_hat, W_i = leaf(1.0, 2.0), leaf(0.0, 4.0)
    matching_loss(e_hat, W_i).backward()
    assert e_hat.grad.tolist() == [0.5, -0.5]
    assert W_i.grad.tolist() == [-0.5, 0.5]


def test_content_is_a_sum_over_layers_of_means() -> None:
    fake = [torch.ones(1, 2, 2, 2), torch.full((1, 1, 1, 1), 3.0)]
    real = [torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 1, 1)]
    assert content_loss(fake, real).item() == 1 + 3


@pytest.mark.parametrize("loss", [content_loss, feature_matching_loss])
def test_features_of_the_real_frame_get_no_gradient(loss: object) -> None:
    fake, real = leaf(1.0), leaf(0.0)
    loss([fake], [real]).backward()
    assert fake.grad.item() == 1
    assert real.grad is None


def test_pixels_reach_the_output_only() -> None:
    x_hat, x = leaf(1.0), leaf(0.5)
    loss = pixel_loss(x_hat, x)
    loss.backward()
    assert loss.item() == 0.5
    assert x.grad is None


def test_adversarial_is_minus_the_score() -> None:
    score = leaf(1.0, 3.0)
    loss = adversarial_loss(score)
    loss.backward()
    assert loss.item() == -2
    assert score.grad.tolist() == [-0.5, -0.5]


def test_half_precision_scores_are_judged_in_float32() -> None:
    score = torch.tensor([1.0], dtype=torch.bfloat16)
    assert hinge_loss(score, score).dtype == torch.float32


@given(seed=st.integers(0, 2**16), parts=st.sampled_from([1, 2, 3, 6]))
def test_the_loss_of_a_batch_is_the_mean_over_its_equal_parts(seed: int, parts: int) -> None:
    torch.manual_seed(seed)
    a, b = torch.randn(2, 6, 3, 4, 4, dtype=torch.float64)
    v, w = torch.randn(2, 6, 8, dtype=torch.float64)
    one, other = torch.randn(2, 6, dtype=torch.float64)
    for loss, tensors in [
        (lambda a, b: content_loss([a, b], [b, 2 * b]), (a, b)),
        (pixel_loss, (a, b)),
        (matching_loss, (v, w)),
        (adversarial_loss, (one,)),
        (hinge_loss, (one, other)),
    ]:
        of_parts = [loss(*part) for part in zip(*(t.chunk(parts) for t in tensors), strict=True)]
        torch.testing.assert_close(torch.stack(of_parts).mean(), loss(*tensors))
        assert of_parts[0].dtype == torch.float64
