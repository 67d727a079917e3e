"""The paper's landmark drawings: coloured contours on black, the networks' pose input."""

from collections.abc import Sequence

import cv2
import numpy as np

from headmime.landmarks import points

# (parts, closed, RGB) in drawing order. Adjacent contours have very different colours, so that the
# opening between the inner lips is still visible at 64x64.
CONTOURS = (
    ((points.JAW,), False, (0, 255, 0)),
    ((points.BROW_R, points.BROW_L), False, (255, 128, 0)),
    ((points.NOSE_BRIDGE, points.NOSE_BASE), False, (0, 128, 255)),
    ((points.EYE_R, points.EYE_L), True, (255, 0, 255)),
    ((points.LIPS_OUTER,), True, (255, 0, 0)),
    ((points.LIPS_INNER,), True, (255, 255, 255)),
)
SUBPIXEL_BITS = 8
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def draw_landmarks(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Draw landmarks in crop coordinates: [T?, 68, 2] -> uint8 RGB [T?, size, size, 3].

    Lines are antialiased with subpixel positions; their width is proportional to the size.
    """
    images = np.empty((*landmarks.shape[:-2], size, size, 3), np.uint8)
    if landmarks.ndim == 2:
        draw_landmarks_into([images], landmarks[None])
    else:
        draw_landmarks_into(images, landmarks)
    return images


def draw_landmarks_into(images: Sequence[np.ndarray] | np.ndarray, landmarks: np.ndarray) -> None:
    """Draw landmarks [T, 68, 2] into T images, uint8 [size, size, 3], overwriting them."""
    size = len(images[0])
    # OpenCV's (0, 0) is the centre of the first pixel. Clipped: distant points would overflow.
    inside = np.clip(landmarks, -4, 5) * size - 0.5
    fixed = np.rint(inside * (1 << SUBPIXEL_BITS)).astype(np.int32)
    width = max(1, round(size / 128))
    for image, face, box in zip(images, fixed, _boxes(fixed, size), strict=True):
        image[:] = 0
        if width == 2:
            # Close to OpenCV's lines of this width (mean difference 0.6 of 255), but faster.
            _draw_lines(image, face, 1)
            _widen(image, *box)
        else:
            _draw_lines(image, face, width)


def _draw_lines(image: np.ndarray, face: np.ndarray, width: int) -> None:
    for parts, closed, colour in CONTOURS:
        lines = [face[part] for part in parts]
        cv2.polylines(image, lines, closed, colour, width, cv2.LINE_AA, shift=SUBPIXEL_BITS)


def _boxes(fixed: np.ndarray, size: int) -> list[list[int]]:
    """Bounding boxes (left, top, right, bottom) of thin lines through [T, 68, 2], plus a pixel."""
    low, high = fixed.min(1) >> SUBPIXEL_BITS, fixed.max(1) >> SUBPIXEL_BITS
    return np.clip(np.concatenate([low - 3, high + 5], 1), 0, size).tolist()


def _widen(image: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    """Dilate the box by one pixel in each direction."""
    if left < right and top < bottom:
        box = image[top:bottom, left:right]
        cv2.dilate(box, CROSS, dst=box)
