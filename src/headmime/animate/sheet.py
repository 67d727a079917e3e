"""A contact sheet: source | landmarks | result, for a look at a whole animation at once."""

import cv2
import numpy as np

from headmime.images import resize
from headmime.landmarks.draw import draw

TILE = 192  # pixels, at least
GAP, HEADER = 6, 26
PAPER, INK = 255, (40, 40, 40)


def contact_sheet(
    source: np.ndarray | None, landmarks: np.ndarray, results: np.ndarray
) -> np.ndarray:
    """One picture of a source (if it is at hand) and of some frames made from it.

    source uint8 [S, S, 3], landmarks [n, 68, 2] in crop coordinates, results uint8 [n, S, S, 3] ->
    uint8 [H, W, 3]: the source large on the left, then n columns, landmarks above results.
    """
    tile = max(TILE, results.shape[1])
    large = 2 * tile + GAP
    left = GAP if source is None else large + 2 * GAP
    width = left + len(results) * (tile + GAP)
    sheet = np.full((HEADER + large + GAP, width, 3), PAPER, np.uint8)
    if source is not None:
        _write(sheet, "source", GAP)
        _place(sheet, source, GAP, HEADER, large)
    _write(sheet, "landmarks (above), result (below)", left)
    for column, (points, result) in enumerate(zip(landmarks, results, strict=True)):
        x = left + column * (tile + GAP)
        _place(sheet, draw(points, tile), x, HEADER, tile)
        _place(sheet, result, x, HEADER + tile + GAP, tile)
    return sheet


def _place(sheet: np.ndarray, picture: np.ndarray, x: int, y: int, side: int) -> None:
    sheet[y : y + side, x : x + side] = resize(picture, side)


def _write(sheet: np.ndarray, text: str, x: int) -> None:
    cv2.putText(sheet, text, (x, HEADER - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
