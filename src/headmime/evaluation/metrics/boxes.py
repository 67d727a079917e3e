"""The part of a picture that metrics of the face look at."""

import numpy as np

SMALLEST = 4  # pixels


def face_box(landmarks: np.ndarray, size: int, margin: float = 0.0) -> tuple[slice, slice]:
    """Rows and columns of the upright box around 68 landmarks [68, 2] in crop coordinates.

    margin: by which it is enlarged on all sides, in shares of its own. Cut off at the border of the
    picture of `size` pixels, and at least 4 pixels.
    """
    low, high = landmarks.min(0), landmarks.max(0)
    low, high = low - margin * (high - low), high + margin * (high - low)
    first = np.clip(np.floor(low * size), 0, size - SMALLEST).astype(int)
    last = np.maximum(np.clip(np.ceil(high * size), 0, size).astype(int), first + SMALLEST)
    return slice(first[1], last[1]), slice(first[0], last[0])
