"""The paper's landmark drawings: coloured contours on black, the pose that the networks see."""

from collections.abc import Sequence

import cv2
import numpy as np

from headmime.landmarks import points

# (parts, closed, RGB), drawn in this order. Neighbouring contours differ much in colour, so that
# the opening between the inner lips can still be read at 64x64.
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
    """Contours of landmarks in crop coordinates: [T?, 68, 2] -> uint8 RGB [T?, size, size, 3].

    Lines are antialiased and placed to a fraction of a pixel; their width grows with the size.
    """
    pictures = np.empty((*landmarks.shape[:-2], size, size, 3), np.uint8)
    if landmarks.ndim == 2:
        draw_landmarks_into([pictures], landmarks[None])
    else:
        draw_landmarks_into(pictures, landmarks)
    return pictures


def draw_landmarks_into(pictures: Sequence[np.ndarray] | np.ndarray, landmarks: np.ndarray) -> None:
    """Draw landmarks [T, 68, 2] into T pictures, uint8 [size, size, 3], whatever they held."""
    size = len(pictures[0])
    # OpenCV's (0, 0) is the centre of the first pixel. Far-away points would overflow.
    inside = np.clip(landmarks, -4, 5) * size - 0.5
    fixed = np.rint(inside * (1 << SUBPIXEL_BITS)).astype(np.int32)
    width = max(1, round(size / 128))
    for picture, face, box in zip(pictures, fixed, _boxes(fixed, size), strict=True):
        picture[:] = 0
        if width == 2:
            # Nearly what OpenCV draws with this width (0.6 of 255 apart, on average), but faster.
            _draw_lines(picture, face, 1)
            _widen(picture, *box)
        else:
            _draw_lines(picture, face, width)


def _draw_lines(picture: np.ndarray, face: np.ndarray, width: int) -> None:
    for parts, closed, colour in CONTOURS:
        lines = [face[part] for part in parts]
        cv2.polylines(picture, lines, closed, colour, width, cv2.LINE_AA, shift=SUBPIXEL_BITS)


def _boxes(fixed: np.ndarray, size: int) -> list[list[int]]:
    """Left, top, right and bottom of what thin lines through [T, 68, 2] can reach, and a pixel."""
    low, high = fixed.min(1) >> SUBPIXEL_BITS, fixed.max(1) >> SUBPIXEL_BITS
    return np.clip(np.concatenate([low - 3, high + 5], 1), 0, size).tolist()


def _widen(picture: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    """One pixel more on all sides of everything in the box."""
    if left < right and top < bottom:
        there = picture[top:bottom, left:right]
        cv2.dilate(there, CROSS, dst=there)
