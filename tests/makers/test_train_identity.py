"""What trains the identity network: masks, augmentation, the loss, the folded norms."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from headmime.pretrained.sitter_identity import SitterIdentity, identity_input

MAKER = SimpleNamespace(
    **runpy.run_path(str(Path(__file__).parents[2] / "makers" / "train_identity.py"))
)


def square_face(left: float, top: float, side: float) -> np.ndarray:
    """68 points on the corners of a square."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    return corners[np.arange(68) % 4] * side + (left, top)


@pytest.fixture(scope="module")
def faces() -> Any:
    """Two frames of each of four people, who are a colour in the middle of random surroundings."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 32, 32, 3), np.uint8)
    people = np.repeat(np.arange(4), 2)
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]], np.uint8)
    images[:, 8:25, 8:25] = colours[people, None, None]
    return MAKER.Faces(images, np.stack([square_face(0.25, 0.25, 0.5)] * 8), people)


def test_the_mask_is_the_hull_enlarged_about_its_middle() -> None:
    mask = MAKER.face_mask(square_face(0.25, 0.25, 0.5), 32, 1.0)
    assert mask[8:25, 8:25].all() and mask.sum() == 17 * 17
    larger = MAKER.face_mask(square_face(0.25, 0.25, 0.5), 32, 1.5)
    assert larger[4:29, 4:29].all() and larger.sum() == 25 * 25


def test_hidden_surroundings_are_grey_and_the_face_stays(faces: Any) -> None:
    shown = MAKER.mask_background(faces, 1.0).images
    assert (shown[:, 8:25, 8:25] == faces.images[:, 8:25, 8:25]).all()
    assert (shown[:, :8] == MAKER.GREY).all() and (shown[:, :, 25:] == MAKER.GREY).all()


def test_margin_softmax_by_hand() -> None:
    """Two people at right angles, each twice in the same place: cosines 1 within, less the margin,
    and twice 0 between.
    """
    e = torch.eye(2).repeat(2, 1)
    wanted = torch.log(1 + 2 * torch.exp(torch.tensor(-4 * 0.75)))
    torch.testing.assert_close(MAKER.margin_softmax(e, 4.0, 0.25), wanted)
    assert MAKER.margin_softmax(e, 4.0, 0.0) < wanted


def test_augmented_images_are_in_range_and_follow_the_generator(faces: Any) -> None:
    one, again, other = (
        MAKER.augment(faces, np.arange(8), np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert one.shape == (8, 3, 112, 112) and one.dtype == torch.float32
    assert one.min() >= -1 and one.max() <= 1 and one.std() > 0.1
    assert (one == again).all() and (one != other).any()


def test_training_tells_colours_apart_and_folding_keeps_the_function(faces: Any) -> None:
    kept: list[Any] = []
    losses = []

    def on_step(done: int, progress: float, loss: float, net: Any) -> None:
        losses.append(loss)
        kept[:] = [net]

    MAKER.train_identity(faces, MAKER.IdentitySettings(steps=12, people=4, lr=1e-3), on_step)
    assert len(losses) == 12
    (net,) = kept
    net.eval()
    x = identity_input(torch.from_numpy(faces.images).movedim(-1, 1) / 127.5 - 1)
    frozen = SitterIdentity(net.fold_norms() | {"magnitudes": torch.ones(4)}, {})
    with torch.no_grad():
        torch.testing.assert_close(frozen.embed(x), net(x), atol=1e-4, rtol=1e-3)


def test_the_rate_goes_up_and_comes_down_whether_by_steps_or_by_the_clock(faces: Any) -> None:
    assert (
        MAKER.learning_rate_factor(0.1) == 1
        and 0 < MAKER.learning_rate_factor(0) < 0.05
        and MAKER.learning_rate_factor(1) < 1e-6
    )
    seen: list[float] = []
    settings = MAKER.IdentitySettings(steps=10, minutes=1e-6, people=2)
    MAKER.train_identity(faces, settings, lambda done, progress, loss, net: seen.append(progress))
    assert seen == [1]
