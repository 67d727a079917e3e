import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmime.animate.poses import as_complex, as_points, neutral_frame, shapes, similarity, spread

finite = st.floats(-3, 3)


@given(st.floats(-3, 3), st.floats(0.1, 10), finite, finite, st.integers(0, 99))
def test_similarity_is_recovered(angle, scale, x, y, seed):
    points = as_complex(np.random.default_rng(seed).normal(size=(5, 68, 2)))
    wanted = scale * np.exp(1j * angle)
    a, b = similarity(points, wanted * points + (x + 1j * y))
    assert np.allclose(a, wanted)
    assert np.allclose(b, x + 1j * y)


def test_complex_and_points_are_inverse():
    points = np.random.default_rng(0).normal(size=(3, 68, 2)).astype(np.float32)
    assert np.array_equal(as_points(as_complex(points)), points)


@given(angle=st.floats(-1, 1), scale=st.floats(0.2, 5), x=finite, y=finite)
def test_shapes_know_nothing_of_place_size_and_tilt(mona_landmarks, angle, scale, x, y):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = mona_landmarks @ turn.T + (x, y)
    one, other = shapes(np.stack([mona_landmarks, moved]).astype(np.float32))
    assert abs(one - other).max() < 1e-4


def opened(face: np.ndarray, by: float) -> np.ndarray:
    """The lower lip and the chin lower, by a share of the crop's side."""
    face = face.copy()
    face[[65, 66, 67, 55, 56, 57, 58, 59, *range(5, 12)], 1] += by
    return face


def turned(face: np.ndarray, by: float) -> np.ndarray:
    """The nose and the mouth to the side."""
    face = face.copy()
    face[[*range(27, 36), *range(48, 68)], 0] += by
    return face


def blinked(face: np.ndarray) -> np.ndarray:
    face = face.copy()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        face[[upper, lower]] = (face[upper] + face[lower]) / 2
    return face


@pytest.fixture(scope="module")
def faces(mona_landmarks: np.ndarray) -> np.ndarray:
    still = turned(mona_landmarks, 0.035)  # she looks a little aside: now frontal
    return np.stack([opened(still, 0.1), turned(still, 0.08), still, blinked(still)])


def test_the_neutral_frame_is_frontal_closed_and_awake(faces):
    assert neutral_frame(faces) == 2
    assert neutral_frame(faces[:1]) == 0


def test_spread_takes_the_different_ones_first_and_repeats_itself(faces):
    many = np.concatenate([faces[[2]], *[faces[[2]] + 0.01 * k for k in range(5)], faces])
    chosen = spread(many, 3)
    assert chosen[0] == 0
    assert set(chosen[1:]) == {6, 7}  # the open mouth and the turned head
    assert chosen == spread(many, 3)


def test_spread_begins_with_what_is_chosen_already(faces):
    assert spread(faces, 3, chosen=[3])[0] == 3
    assert sorted(spread(faces, 10, chosen=[1])) == [0, 1, 2, 3]


@given(count=st.integers(1, 12))
def test_spread_gives_different_frames_and_not_more_than_there_are(faces, count):
    same = np.concatenate([faces, faces])
    chosen = spread(same, count)
    assert len(chosen) == len(set(chosen)) == min(count, 8)
