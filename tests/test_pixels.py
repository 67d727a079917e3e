import numpy as np

from headmime.pixels import to_pictures, to_tensor


def test_pictures_and_tensors_are_inverse() -> None:
    pictures = np.arange(192, dtype=np.uint8).reshape(1, 8, 8, 3)
    tensor = to_tensor(pictures)
    assert tensor.shape == (1, 3, 8, 8)
    assert to_tensor(np.array([[[0, 255, 0]]], np.uint8)).flatten().tolist() == [-1, 1, -1]
    assert np.array_equal(to_pictures(tensor), pictures)
