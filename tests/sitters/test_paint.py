"""Skin, hairlines and backdrops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headmime.sitters import backdrop, skin
from headmime.sitters.identity import random_sitter

FOREHEAD_TO_CROWN = np.array([[0.0, 0.02], [0.0, 0.08], [0.0, 0.14]])


@settings(max_examples=50)
@given(st.integers(0, 10**6))
def test_every_sitter_can_be_drawn_from_a_seed(seed):
    one, same = (random_sitter(np.random.default_rng(seed), ["nose-hump-incr"]) for _ in "ab")
    assert one.hair.style == same.hair.style
    assert (one.skin.tone == same.skin.tone).all()
    assert one.skin.tone.min() >= 0
    assert one.skin.tone.max() <= 265
    assert sum(one.phenotype[race] for race in ("african", "asian", "caucasian")) == pytest.approx(
        1
    )


def test_both_sides_of_a_face_are_nearly_alike():
    sitter = random_sitter(np.random.default_rng(0), ["l-eye-scale-incr", "r-eye-scale-incr"])
    left, right = sitter.local["l-eye-scale-incr"], sitter.local["r-eye-scale-incr"]
    assert left != right
    assert abs(left - right) < 0.25


def test_linear_light():
    assert skin.linear(np.array([0, 255])).tolist() == [0, 1]
    assert skin.linear(np.array(188)) == pytest.approx(0.5, abs=0.005)  # sRGB's middle grey


def test_the_nose_is_at_zero_around_the_head_and_the_ears_are_at_the_sides():
    places = skin.unroll(np.array([[0, -0.13, 0.01], [0.07, 0.0, 0.02], [-0.07, 0.0, 0.02]]))
    assert places[:, 0] == pytest.approx([0, skin.RADIUS * np.pi / 2, -skin.RADIUS * np.pi / 2])
    assert places[:, 1] == pytest.approx([0.01, 0.02, 0.02])


def test_hair_grows_on_the_crown_and_not_on_the_nose():
    for seed in range(40):
        hair = random_sitter(np.random.default_rng(seed), []).hair
        depth = skin.hair_depth(FOREHEAD_TO_CROWN, hair)
        assert depth[0] < 0
        if hair.style != "wreath" and hair.hairline < 0.03:
            assert depth[2] > 0


def test_distance_to_a_line():
    distance = skin.distance_to(np.array([[-0.01, 0.0], [0.01, 0.0]]))
    cells = skin.grid()
    near = (np.abs(cells[..., 0]) < 0.01) & (np.abs(cells[..., 1]) < 0.009)
    assert np.allclose(distance[near], np.abs(cells[near][:, 1]), atol=1e-6)
    assert distance.max() == pytest.approx(skin.FAR)


def test_backdrops_are_made_from_their_seed_and_are_in_range():
    for seed in range(30):
        image = backdrop.make_backdrop(seed)
        assert (image == backdrop.make_backdrop(seed)).all()
        assert image.shape == (backdrop.SIDE, backdrop.SIDE, 3)
        assert image.min() >= 0
        assert image.max() <= 1.5
    assert (backdrop.make_backdrop(1) != backdrop.make_backdrop(2)).any()
