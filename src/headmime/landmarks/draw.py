"""The paper's landmark drawings: coloured contours on black, the pose that the networks see."""

import cv2
import numpy as np

from headmime.landmarks import points

# (points, closed, RGB), drawn in this order. Neighbouring contours differ much in colour, so that
# the opening between the inner lips can still be read at 64x64.
CONTOURS = (
    (points.JAW, False, (0, 255, 0)),
    (points.BROW_R, False, (255, 128, 0)),
    (points.BROW_L, False, (255, 128, 0)),
    (points.NOSE_BRIDGE, False, (0, 128, 255)),
    (points.NOSE_BASE, False, (0, 128, 255)),
    (points.EYE_R, True, (255, 0, 255)),
    (points.EYE_L, True, (255, 0, 255)),
    (points.LIPS_OUTER, True, (255, 0, 0)),
    (points.LIPS_INNER, True, (255, 255, 255)),
)
SUBPIXEL_BITS = 8


def draw(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Contours of landmarks in crop coordinates: [T?, 68, 2] -> uint8 RGB [T?, size, size, 3].

    Lines are antialiased and placed to a fraction of a pixel; their width grows with the size.
    """
    if landmarks.ndim == 3:
        pictures = np.zeros((len(landmarks), size, size, 3), np.uint8)
        for picture, face in zip(pictures, landmarks, strict=True):
            _draw_on(picture, face)
        return pictures
    picture = np.zeros((size, size, 3), np.uint8)
    _draw_on(picture, landmarks)
    return picture


def _draw_on(picture: np.ndarray, landmarks: np.ndarray) -> None:
    size = len(picture)
    width = max(1, round(size / 128))
    # OpenCV's (0, 0) is the centre of the first pixel. Far-away points would overflow.
    inside = np.clip(landmarks, -4, 5) * size - 0.5
    fixed = np.rint(inside * (1 << SUBPIXEL_BITS)).astype(np.int32)
    for part, closed, colour in CONTOURS:
        cv2.polylines(
            picture, [fixed[part]], closed, colour, width, cv2.LINE_AA, shift=SUBPIXEL_BITS
        )
