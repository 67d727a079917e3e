"""The drawings carry what the networks must see: each part, the mouth, fractions of a pixel."""

import time

import cv2
import numpy as np
import pytest

from headmime.landmarks import points
from headmime.landmarks.crop import crop_box
from headmime.landmarks.drawing import CONTOURS, draw_landmarks, draw_landmarks_into


def in_crop(face: np.ndarray) -> np.ndarray:
    return crop_box(face[None]).to_crop(face)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_a_drawing_is_thin_lines_on_black(face: np.ndarray, size: int):
    drawing = draw_landmarks(in_crop(face), size)
    assert drawing.shape == (size, size, 3) and drawing.dtype == np.uint8
    lit = (drawing.max(-1) > 0).mean()
    assert 0.02 < lit < 0.2


def test_a_clip_is_drawn_frame_by_frame(face: np.ndarray, open_face: np.ndarray):
    clip = np.stack([in_crop(face), in_crop(open_face)])
    drawings = draw_landmarks(clip, 64)
    assert drawings.shape == (2, 64, 64, 3)
    for drawing, landmarks in zip(drawings, clip, strict=True):
        np.testing.assert_array_equal(drawing, draw_landmarks(landmarks, 64))


@pytest.mark.parametrize("size", [128, 256])
def test_every_part_has_its_line_and_its_colour(face: np.ndarray, size: int):
    landmarks = in_crop(face)
    drawing = draw_landmarks(landmarks, size)
    for parts, _, colour in CONTOURS:
        for part in parts:
            x, y = (landmarks[part][1] * size).astype(int)
            near = drawing[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).astype(float)
            brightest = near[near.max(-1).argmax()]
            assert brightest.max() > 140  # thin lines are often shared by two rows of pixels
            hue = brightest / brightest.max()
            np.testing.assert_allclose(hue, np.array(colour) / 255, atol=0.1)


@pytest.mark.parametrize(("size", "most"), [(64, 0), (128, 0), (256, 1), (512, 0)])
def test_lines_are_those_of_opencv(face: np.ndarray, open_face: np.ndarray, size: int, most: float):
    """Contour by contour, as the bundled weights saw them; at 256 pixels drawn in a faster way."""
    for landmarks in (in_crop(face), in_crop(open_face)):
        expected = np.zeros((size, size, 3), np.uint8)
        for parts, closed, colour in CONTOURS:
            for part in parts:
                line = np.rint((landmarks[part] * size - 0.5) * 256).astype(np.int32)
                width = size // 128 or 1
                cv2.polylines(expected, [line], closed, colour, width, cv2.LINE_AA, shift=8)
        assert np.abs(draw_landmarks(landmarks, size).astype(int) - expected).mean() <= most


def test_drawing_into_used_images(face: np.ndarray, open_face: np.ndarray):
    """Nothing of what they held before shines through."""
    for size in (64, 256):
        images = np.full((2, size, size, 3), 99, np.uint8)
        faces = np.stack([in_crop(face), in_crop(open_face)])
        draw_landmarks_into(images, faces)
        np.testing.assert_array_equal(images, draw_landmarks(faces, size))


def test_neighbouring_parts_differ_in_colour():
    colours = {tuple(colour) for _, _, colour in CONTOURS}
    assert len(colours) == 6  # jaw, brows, nose, eyes, outer lips, inner lips
    drawn = [part for parts, *_ in CONTOURS for part in parts]
    assert sum(part.stop - part.start for part in drawn) == points.POINTS


def test_the_opening_mouth_is_seen_at_64(face: np.ndarray, open_face: np.ndarray):
    """Between the lips it becomes dark; the row of pixels through the mouth's middle tells."""
    closed, opened = in_crop(face), in_crop(open_face)
    x, y = (opened[points.LIPS_INNER].mean(0) * 64).astype(int)
    assert draw_landmarks(opened, 64)[y, x].max() < 64
    assert draw_landmarks(closed, 64)[y - 1 : y + 2, x].max() > 128


def test_a_tenth_of_a_pixel_is_seen(face: np.ndarray):
    landmarks = in_crop(face)
    moved = draw_landmarks(landmarks + np.float32(0.1 / 64), 64).astype(int)
    assert np.abs(moved - draw_landmarks(landmarks, 64)).max() > 5


def test_a_line_lies_where_its_points_are():
    """A horizontal jaw at y = 0.25 of 64 pixels: between pixel rows 15 and 16, equally bright."""
    landmarks = np.full((68, 2), 5.0, np.float32)
    landmarks[points.JAW] = np.stack([np.linspace(0.2, 0.8, 17), np.full(17, 0.25)], -1)
    green = draw_landmarks(landmarks, 64)[:, 32, 1].astype(float)
    rows = np.arange(64) + 0.5
    assert (rows * green).sum() / green.sum() == pytest.approx(16, abs=0.15)


def test_points_outside_are_no_error(face: np.ndarray):
    assert draw_landmarks(in_crop(face) * 1e6 - 1e5, 64).shape == (64, 64, 3)
    assert draw_landmarks(in_crop(face) + 3, 64).max() == 0


def test_drawing_is_fast(face: np.ndarray):
    """Training draws 2 (K + 1) of them for every image that it generates."""
    landmarks = np.repeat(in_crop(face)[None], 500, 0)
    start = time.process_time()
    draw_landmarks(landmarks, 64)
    assert time.process_time() - start < 0.25  # measured: 0.01 s
