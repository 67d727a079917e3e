"""What happens to published images, with real codecs: uint8 [S, S, 3] -> the same shape."""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from headmime.images import resize


def jpeg(image: np.ndarray, quality: int = 75) -> np.ndarray:
    """Compress as JPEG."""
    coded = BytesIO()
    Image.fromarray(image).save(coded, "JPEG", quality=quality)
    with Image.open(coded) as decoded:
        return np.array(decoded)


def half_size(image: np.ndarray) -> np.ndarray:
    """Shrink to half the size, and enlarge for the networks."""
    return resize(resize(image, len(image) // 2), len(image))


def screenshot(image: np.ndarray) -> np.ndarray:
    """Draw at 83 % of the size, bilinearly as browsers do, and enlarge for the networks."""
    side = round(0.83 * len(image))
    drawn = cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR)
    return resize(drawn, len(image))


def median(image: np.ndarray) -> np.ndarray:
    """Take the median of 3x3 pixels."""
    return cv2.medianBlur(image, 3)


def denoise(image: np.ndarray) -> np.ndarray:
    """Remove noise by non-local means (OpenCV, h = 5), the obvious countermeasure."""
    return cv2.fastNlMeansDenoisingColored(image, None, 5, 5)


PLATFORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda image: image,
    "jpeg": jpeg,
    "half_size": half_size,
    "screenshot": screenshot,
    "median": median,
    "denoise": denoise,
}
