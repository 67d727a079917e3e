import numpy as np
import torch

from headmime.learning.jitter import Jitter, apply_jitter


def test_jitter_moves_an_image_and_its_landmarks_alike() -> None:
    """A bright disc stays under its landmark."""
    size = 64
    landmarks = np.full((8, 68, 2), 0.6, np.float32)
    rows, columns = np.mgrid[:size, :size] + 0.5
    disc = np.hypot(rows - 0.6 * size, columns - 0.6 * size) < 3
    x = torch.from_numpy(np.where(disc, 1.0, -1.0)).float().expand(8, 3, size, size)
    moved, points = apply_jitter(x, landmarks, Jitter(20, 0.2, 0.15), np.random.default_rng(0))
    weight = (moved[:, 0] + 1).numpy()
    centre = np.stack(
        [
            (weight * columns).sum((1, 2)) / weight.sum((1, 2)),
            (weight * rows).sum((1, 2)) / weight.sum((1, 2)),
        ],
        1,
    )
    np.testing.assert_allclose(centre / size, points[:, 0], atol=0.01)
    assert np.ptp(points[:, 0], axis=0).min() > 0.05  # and it did move


def test_no_jitter_is_the_image_itself() -> None:
    x, points = torch.rand(1, 3, 8, 8), np.zeros((1, 68, 2), np.float32)
    same, where = apply_jitter(x, points, Jitter(), np.random.default_rng(0))
    assert same is x
    assert where is points


def test_several_images_need_less_of_it() -> None:
    jitter = Jitter(10, 0.1, 0.04)
    assert jitter.of(1) == jitter
    eight = jitter.of(8)
    np.testing.assert_allclose([eight.rotation, eight.scale, eight.shift], [5, 0.05, 0.02])
    assert Jitter().of(8) == Jitter()
