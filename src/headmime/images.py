"""Images as arrays: what makes them of landmarks, and the one rule by which they are resized."""

from collections.abc import Callable

import cv2
import numpy as np

Animator = Callable[[np.ndarray], np.ndarray]
"""Landmarks [T, 68, 2] in crop coordinates -> frames uint8 [T, S, S, 3]; callers send chunks."""


def resize(
    image: np.ndarray, width: int, height: int | None = None, enlarging: int = cv2.INTER_CUBIC
) -> np.ndarray:
    """uint8 or float [H, W, ...] -> [height, width, ...]; without a height, as high as wide.

    Shrinking averages over areas, enlarging is bicubic unless OpenCV's constant `enlarging` says
    otherwise. An image that has the size already is returned as it is, not copied.
    """
    height = width if height is None else height
    if image.shape[:2] == (height, width):
        return image
    shrinks = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if shrinks else enlarging
    )
