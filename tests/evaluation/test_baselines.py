"""Baselines: what they must give back."""

import numpy as np
import pytest

from headmime.evaluation.baselines import (
    copy_first,
    copy_nearest,
    mean_frame,
    nearest,
    warp,
    warp_nearest,
)


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def landmarks() -> np.ndarray:
    """Three different faces."""
    face = np.random.default_rng(1).uniform(0.25, 0.75, (68, 2))
    return np.stack([face, face + np.array([0.1, 0]), face * 0.8 + 0.1]).astype(np.float32)


def test_copy_ignores_what_is_asked(frames, landmarks):
    np.testing.assert_array_equal(copy_first(frames, landmarks)(landmarks), frames[[0, 0, 0]])


def test_nearest_finds_each_frame_by_its_landmarks(frames, landmarks):
    order = [2, 0, 1, 1]
    asked = landmarks[order] + 0.001
    np.testing.assert_array_equal(nearest(landmarks, asked), order)
    np.testing.assert_array_equal(copy_nearest(frames, landmarks)(asked), frames[order])


def test_mean_of_black_and_white_is_grey(landmarks):
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    frames[1] = 255
    made = mean_frame(frames, landmarks[:2])(landmarks)
    assert made.shape == (3, 8, 8, 3) and (made == 128).all()


def test_warping_to_its_own_landmarks_changes_nothing(frames, landmarks):
    made = warp_nearest(frames, landmarks)(landmarks)
    assert abs(made.astype(int) - frames).max() <= 1


def test_a_point_of_the_face_moves_where_it_is_asked_and_the_border_stays():
    y, x = np.mgrid[:64, :64]
    spot = np.exp(-((x - 31.5) ** 2 + (y - 31.5) ** 2) / 8)
    frame = np.repeat((255 * spot)[..., None], 3, -1).astype(np.uint8)
    angles = np.linspace(0, 2 * np.pi, 67, endpoint=False)
    ring = 0.5 + 0.1 * np.stack([np.cos(angles), np.sin(angles)], -1)
    points = np.concatenate([ring, [[0.5, 0.5]]])
    moved = points + np.array([0.125, 0])
    made = warp(frame, points, moved)
    assert np.unravel_index(made[..., 0].argmax(), (64, 64)) == (31, 39)
    border = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    made = warp(border, points, moved)
    difference = made.astype(int) - border
    corners = difference[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert abs(corners).max() < 40  # half a pixel inside of the border, where nothing moves


def test_landmarks_outside_the_picture_do_no_harm(frames, landmarks):
    outside = landmarks.copy()
    outside[:, :5] = -0.4
    assert warp_nearest(frames, outside)(outside).shape == frames.shape
