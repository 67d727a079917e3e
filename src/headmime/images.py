"""Images as arrays: the type of an animator, and the rule by which images are resized."""

from collections.abc import Callable

import cv2
import numpy as np

Animator = Callable[[np.ndarray], np.ndarray]
"""Landmarks [T, 68, 2] in crop coordinates -> frames uint8 [T, S, S, 3]; callers send chunks."""


def resize(
    image: np.ndarray, width: int, height: int | None = None, enlarging: int = cv2.INTER_CUBIC
) -> np.ndarray:
    """Resize uint8 or float [H, W, ...] to [height, width, ...]; `height` defaults to `width`.

    Shrinking averages over areas; enlarging uses OpenCV's interpolation `enlarging` (bicubic). An
    image that already has the size is returned without a copy.
    """
    height = width if height is None else height
    if image.shape[:2] == (height, width):
        return image
    shrinks = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if shrinks else enlarging
    )
