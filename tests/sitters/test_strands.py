"""Hair: it grows where it is told to and stays outside of the head."""

import numpy as np
import pytest

from headmime.sitters import strands

RADIUS = 0.1


@pytest.fixture(scope="module")
def ball():
    """A head: a ball of radius 0.1 m around the origin."""
    directions = strands.unit(np.random.default_rng(0).normal(size=(20000, 3)))
    return strands.Obstacle(directions * RADIUS, directions)


@pytest.fixture(scope="module")
def roots():
    directions = strands.unit(np.random.default_rng(1).normal(size=(200, 3)))
    return directions * RADIUS


def grown(ball, roots, length, pull, clearance=0.0):
    return strands.grow(
        roots,
        strands.unit(roots),
        lambda place: np.broadcast_to(pull, place.shape),
        np.full(len(roots), length),
        20,
        0.02,
        ball,
        np.full(len(roots), clearance),
    )


def test_strands_start_at_their_roots_and_have_their_length(ball, roots):
    shape = grown(ball, roots, 0.15, (0.0, 0.0, -1.0))
    assert (shape[:, 0] == roots).all()
    assert np.linalg.norm(np.diff(shape, axis=1), axis=-1).sum(1) == pytest.approx(0.15)


def test_strands_fall_but_not_through_the_head(ball, roots):
    shape = grown(ball, roots, 0.3, (0.0, 0.0, -1.0), clearance=0.004)
    assert np.linalg.norm(shape, axis=-1).min() > RADIUS - 0.003
    assert (shape[:, -1, 2] < -0.1).all()


def test_clumps_keep_roots_and_gather_tips(ball, roots):
    shape = grown(ball, roots, 0.1, (0.0, 0.0, -1.0))
    guides = np.arange(0, 200, 20)
    locks = strands.clump(shape, 0.8, guides)
    assert (locks[:, 0] == shape[:, 0]).all()
    assert np.allclose(locks[guides], shape[guides])
    tips = np.linalg.norm(locks[:, None, -1] - locks[None, guides, -1], axis=-1).min(1)
    before = np.linalg.norm(shape[:, None, -1] - shape[None, guides, -1], axis=-1).min(1)
    assert tips.mean() < 0.7 * before.mean()


def test_curls_wind_around_the_strand():
    straight = np.zeros((1, 200, 3))
    straight[0, :, 2] = -np.linspace(0, 0.2, 200)
    curled = strands.curl(straight, np.array([0.004]), 0.02, np.zeros(1))
    away = np.linalg.norm((curled - straight)[0], axis=-1)
    assert away[0] == 0
    assert away[40:] == pytest.approx(0.004, rel=0.02)


def test_long_hair_lies_on_the_shoulders_and_short_hair_turns_with_the_head():
    line = np.zeros((1, 3, 3))
    line[0, :, 2] = (0.1, -0.08, -0.3)  # crown, chin, chest
    made = strands.make_strands(line, 0.001, np.ones((1, 3, 4)))
    assert made.share[0].tolist() == [1, 1, 0]
