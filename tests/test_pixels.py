import numpy as np
import pytest

from headmime.pixels import grey_sharpness, laplacian_variance, to_tensor, to_uint8


def test_images_and_tensors_are_inverse() -> None:
    images = np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3)
    tensor = to_tensor(images)
    assert tensor.shape == (1, 3, 8, 8)
    assert to_tensor(np.array([[[0, 255, 0]]], np.uint8)).flatten().tolist() == [-1, 1, -1]
    assert np.array_equal(to_uint8(tensor), images)


def test_laplacian_of_a_single_bright_pixel() -> None:
    """-4 there, 1 at its four neighbours, of 25 pixels: a mean of 0 and 20 / 25."""
    grey = np.zeros((5, 5), np.float32)
    grey[2, 2] = 1
    assert laplacian_variance(grey) == pytest.approx(0.8)
    white = np.zeros((5, 5, 3), np.uint8)
    white[2, 2] = 255
    assert grey_sharpness(white) == pytest.approx(0.8 * 255**2)
