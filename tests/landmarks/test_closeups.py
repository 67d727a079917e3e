import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headmime.landmarks import points
from headmime.landmarks.closeups import closeup_strips


def face() -> np.ndarray:
    """Eyes .2 apart at height .4, the mouth's points at (.5, .6): face_size is .4."""
    landmarks = np.full((68, 2), 0.5)
    landmarks[points.EYE_R] = 0.4, 0.4
    landmarks[points.EYE_L] = 0.6, 0.4
    landmarks[48:] = 0.5, 0.6
    return landmarks


def corners(strip: np.ndarray) -> np.ndarray:
    """Where the upper left and the lower right corner of a strip lie, in crop coordinates."""
    ends = np.array([[-1, -1, 1], [1, 1, 1]], float)
    return (ends @ strip.T + 1) / 2


def test_strips_of_an_upright_face():
    eyes, mouth = closeup_strips(face())
    np.testing.assert_allclose(corners(eyes), [[0.32, 0.31], [0.68, 0.49]], atol=1e-6)
    np.testing.assert_allclose(corners(mouth), [[0.34, 0.52], [0.66, 0.68]], atol=1e-6)


@given(st.floats(-3, 3), st.floats(0.2, 2))
def test_strips_turn_and_grow_with_the_face(angle: float, scale: float):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (face() - 0.5) @ turn.T + 0.5
    expected = (corners(closeup_strips(face())[0]) - 0.5) @ turn.T + 0.5
    np.testing.assert_allclose(corners(closeup_strips(moved)[0]), expected, atol=1e-5)


def test_a_face_without_size_is_a_point_and_no_warning():
    assert np.isfinite(closeup_strips(np.full((3, 68, 2), 0.5))).all()
