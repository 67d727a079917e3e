"""Measures of a face that can be checked on a drawing by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmime.landmarks import points
from headmime.landmarks.points import face_size, head_turn, interocular, mouth_opening


def test_the_parts_are_all_68_points_each_once():
    parts = [value for value in vars(points).values() if isinstance(value, slice)]
    indices = [index for part in parts for index in range(part.start, part.stop)]
    assert sorted(indices) == list(range(points.POINTS))


def test_interocular_is_from_corner_to_corner(face: np.ndarray):
    assert interocular(face) == pytest.approx(100)


def test_face_size_is_about_from_brows_to_chin(face: np.ndarray):
    assert face_size(face) == pytest.approx(150, rel=0.1)


def test_measures_take_clips_and_frames(face: np.ndarray):
    for measure in (interocular, face_size, mouth_opening, head_turn):
        assert measure(np.stack([face, face])).shape == (2,)
        assert measure(np.stack([face, face]))[0] == measure(face)


def test_the_mouth(face: np.ndarray, open_face: np.ndarray):
    assert mouth_opening(face) == pytest.approx(0, abs=1e-6)
    assert 0.1 < mouth_opening(open_face) < 0.3


def test_crossed_lips_are_closed(open_face: np.ndarray):
    crossed = open_face.copy()
    crossed[[61, 62, 63, 65, 66, 67]] = open_face[[67, 66, 65, 63, 62, 61]]
    assert mouth_opening(crossed) == 0
    assert mouth_opening(crossed @ [[0, 1], [-1, 0]]) == 0


@pytest.mark.parametrize("degrees", [-45, -15, 15, 45])
def test_turning_moves_the_nose_and_keeps_the_size(face: np.ndarray, degrees: float):
    """A face on a cylinder with a nose that stands out, turned: it gets narrower, not lower."""
    depth = np.sqrt(np.maximum(90**2 - face[:, 0] ** 2, 0))
    depth[points.NOSE_TIP] += 25
    turned = face.copy()
    angle = np.radians(degrees)
    turned[:, 0] = face[:, 0] * np.cos(angle) + depth * np.sin(angle)
    assert interocular(turned) < 0.98 * interocular(face)
    assert face_size(turned) == pytest.approx(face_size(face), rel=0.1)
    assert head_turn(turned) == pytest.approx(0.2 * np.sin(angle) / np.sin(np.pi / 4), abs=0.06)


def test_a_frontal_head_has_no_turn(face: np.ndarray):
    assert head_turn(face) == pytest.approx(0, abs=1e-6)


@given(scale=st.floats(0.01, 100), angle=st.floats(-3, 3), x=st.floats(-500, 500))
def test_expression_and_turn_do_not_depend_on_place_size_or_tilt(scale, angle, x):
    from_above = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    random = np.random.default_rng(0).normal(size=(68, 2))
    moved = scale * (random @ from_above) + x
    for measure in (mouth_opening, head_turn):
        assert measure(moved) == pytest.approx(measure(random), rel=1e-3, abs=1e-6)
    assert face_size(moved) == pytest.approx(scale * face_size(random), rel=1e-3)
