import numpy as np
import torch
from torch import Tensor

from headmime.landmarks import points
from headmime.landmarks.closeups import closeup_strips
from headmime.landmarks.points import mirror_landmarks
from headmime.learning.closeup import close_up, closeup_loss
from headmime.learning.settings import LossWeights
from headmime.pretrained.frozen import Frozen


class Pixels(Frozen):
    """A perceptual network whose only feature is the image."""

    def __init__(self) -> None:
        super().__init__("pixels", {})

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x]


def halves() -> Tensor:
    """The upper half of the image as the first strip, the lower as the second."""
    upper, lower = ([[1.0, 0, 0], [0, 0.5, y]] for y in (-0.5, 0.5))
    return torch.tensor([[upper, lower]])


def test_the_two_halves_of_an_image_make_the_image():
    x = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(close_up(x, halves()), x)


def test_half_precision_moves_no_strip():
    """Images whose pixels are their own places from left to right: rounded places would show."""
    x = torch.linspace(-1, 1, 256).expand(1, 3, 256, 256).contiguous()
    strips = torch.tensor([[0.3, 0.02, 0.11], [-0.01, 0.15, 0.07]]).expand(1, 2, 2, 3)
    exact = close_up(x, strips)
    with torch.autocast("cpu", torch.bfloat16):
        rough = close_up(x, strips)
    assert torch.equal(rough, exact)


def test_each_image_has_its_own_strips():
    x = torch.rand(2, 3, 16, 16)
    swapped = torch.cat([halves(), halves().flip(1)])
    close = close_up(x, swapped)
    torch.testing.assert_close(close[0], x[0])
    torch.testing.assert_close(close[1], torch.cat([x[1, :, 8:], x[1, :, :8]], dim=1))


def test_the_terms_keep_their_weights_and_only_the_strips_count():
    x = torch.zeros(1, 3, 16, 16)
    x_hat = x.clone()
    x_hat[..., :8, :] = 0.5
    x_hat.requires_grad_()
    weights = LossWeights(content=3.0, pixel=2.0)
    both = closeup_loss(x_hat, x, halves(), Pixels(), weights)
    assert both.item() == (3 + 2) * 0.25
    lower = halves()[:, [1, 1]]
    closeup_loss(x_hat, x, lower, Pixels(), weights).backward()
    assert not x_hat.grad[..., :7, :].any()


def test_the_close_up_of_a_mirrored_image_is_the_mirrored_close_up():
    """Of a face that tilts: its eyes lie from (.4, .35) to (.65, .45), its mouth at (.45, .65)."""
    landmarks = np.full((1, 68, 2), 0.5, np.float32)
    landmarks[:, points.EYE_R] = 0.4, 0.35
    landmarks[:, points.EYE_L] = 0.65, 0.45
    landmarks[:, 48:] = 0.45, 0.65
    x = torch.rand(1, 3, 32, 32)
    there = close_up(x, torch.from_numpy(closeup_strips(landmarks)))
    mirrored = torch.from_numpy(closeup_strips(mirror_landmarks(landmarks)))
    torch.testing.assert_close(close_up(x.flip(-1), mirrored), there.flip(-1), atol=1e-4, rtol=0)
