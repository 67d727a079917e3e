"""The crop rule: what it contains, and that images and points are cut alike."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmime.landmarks.crop import Crop, crop_box
from headmime.landmarks.points import face_size

crops = st.builds(Crop, x=st.floats(-500, 2000), y=st.floats(-500, 2000), side=st.floats(5, 3000))


@given(crop=crops, seed=st.integers(0, 99))
def test_to_crop_and_to_pixels_are_inverse(crop: Crop, seed: int):
    landmarks = np.random.default_rng(seed).uniform(-0.5, 1.5, (3, 68, 2)).astype(np.float32)
    there = crop.to_pixels(landmarks)
    np.testing.assert_allclose(crop.to_crop(there), landmarks, atol=2e-4)
    assert there.dtype == np.float32 and crop.to_crop(there).dtype == np.float32


def test_the_corners_of_a_crop_are_0_and_1():
    crop = Crop(10, 20, 100)
    corners = np.array([[10, 20], [110, 120], [60, 70]])
    np.testing.assert_allclose(crop.to_crop(corners), [[0, 0], [1, 1], [0.5, 0.5]])


@given(
    x=st.floats(10, 45),
    y=st.floats(10, 45),
    side=st.floats(10, 150),
    size=st.sampled_from([32, 64]),
)
def test_images_and_points_are_cut_alike(x: float, y: float, side: float, size: int):
    """An image whose colour is twice its coordinates: its crop must show the crop's coordinates."""
    v, u = np.mgrid[0:128, 0:128] + 0.5  # (0, 0) is the corner of the first pixel
    image = (2 * np.stack([u, v, 0 * u], -1)).astype(np.uint8)  # whole numbers: nothing is rounded
    crop = Crop(x, y, min(side, 125 - max(x, y)))
    centres = (np.arange(size) + 0.5) / size
    wanted = crop.to_pixels(np.stack(np.meshgrid(centres, centres), -1))
    shown = crop.cut(image, size)[..., :2] / 2
    assert np.abs(shown - wanted).max() <= 0.6  # rounded once; half a pixel off: 1


def test_shrinking_averages_over_areas():
    """A fine chequerboard becomes grey, not a moiré of black and white."""
    board = np.indices((600, 600)).sum(0) % 2 * 255
    image = np.repeat(board[..., None], 3, -1).astype(np.uint8)
    shown = Crop(3.3, 4.4, 512.5).cut(image, 64)
    assert np.abs(shown.astype(int) - 127.5).max() < 10


def test_outside_of_the_image_is_its_reflection():
    image = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    shown = Crop(-8, -8, 24).cut(image, 24)
    np.testing.assert_array_equal(shown[8:16, 8:16], image)
    np.testing.assert_array_equal(shown[8:16, :8], image[:, ::-1])
    np.testing.assert_array_equal(shown[16:, 8:16], image[::-1])


def test_a_crop_of_whole_pixels_is_a_copy():
    image = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Crop(10, 5, 32).cut(image, 32), image[5:37, 10:42])


def test_the_head_is_framed_as_a_portrait(face: np.ndarray):
    landmarks = crop_box(face[None]).to_crop(face)
    top, chin = landmarks[17:27, 1].min(), landmarks[8, 1]
    assert 0.4 < chin - top < 0.55  # of the side: brows to chin
    assert top > 0.25  # room for forehead and hair
    assert 0.08 < 1 - chin < 0.25  # some neck
    assert landmarks[:, 0].mean() == pytest.approx(0.5, abs=0.02)


@given(seed=st.integers(0, 999), spread=st.floats(0, 400))
def test_every_frame_of_a_clip_is_inside_with_its_forehead(seed: int, spread: float):
    random = np.random.default_rng(seed)
    face = random.uniform(-60, 60, (68, 2))
    clip = face + random.uniform(-spread, spread, (5, 1, 2))
    landmarks = crop_box(clip).to_crop(clip)
    forehead = landmarks[..., 1].min(1) - 0.5 * face_size(landmarks)
    assert landmarks.min() > 0 and landmarks.max() < 1 and forehead.min() > 0


@given(scale=st.floats(0.1, 20), x=st.floats(-1000, 1000), y=st.floats(-1000, 1000))
def test_the_box_follows_the_face(scale: float, x: float, y: float):
    """The same head, elsewhere and larger, is framed alike: units do not matter."""
    face = np.random.default_rng(1).uniform(-60, 60, (2, 68, 2))
    here, there = crop_box(face), crop_box(face * scale + (x, y))
    assert there.side == pytest.approx(here.side * scale, rel=1e-6)
    assert there.x == pytest.approx(here.x * scale + x, abs=1e-4 * there.side)
    assert there.y == pytest.approx(here.y * scale + y, abs=1e-4 * there.side)


def test_one_odd_frame_does_not_shrink_the_others(face: np.ndarray):
    clip = np.repeat(face[None], 9, 0)
    odd = clip.copy()
    odd[4] = face * 0.5
    assert crop_box(odd).side == pytest.approx(crop_box(clip).side)


def test_cutting_is_as_sharp_as_an_area_average():
    random = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(random, (0, 0), 2)
    exact = cv2.resize(image[:192, :192], (64, 64), interpolation=cv2.INTER_AREA)
    shown = Crop(0, 0, 192).cut(image, 64)
    assert np.abs(shown.astype(int) - exact).max() <= 1
