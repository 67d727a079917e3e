"""Images as arrays: the one rule by which they are made smaller and larger."""

import cv2
import numpy as np


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
