"""One rule for all images that are made smaller or larger."""

import cv2
import numpy as np

from headmime.images import resize


def test_shrinking_averages_over_areas() -> None:
    image = np.array([[0, 100], [100, 200]], np.uint8).repeat(8, 0).repeat(8, 1)
    assert resize(image, 1).tolist() == [[100]]
    assert resize(image, 2).tolist() == [[0, 100], [100, 200]]


def test_enlarging_is_bicubic_unless_said_otherwise() -> None:
    """Cubic kernels overshoot beside an edge, linear ones do not."""
    edge = np.repeat(np.float32([[0, 0, 1, 1]]), 4, axis=0)
    assert resize(edge, 16).max() > 1.01
    assert resize(edge, 16, enlarging=cv2.INTER_LINEAR).max() == 1


def test_width_comes_before_height_and_the_same_size_is_the_same_image() -> None:
    image = np.zeros((6, 4, 3), np.uint8)
    assert resize(image, 8, 3).shape == (3, 8, 3)
    assert resize(image, 4, 6) is image
