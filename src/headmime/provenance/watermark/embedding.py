"""Adding the mark to frames as they come."""

from collections.abc import Iterable, Iterator
from itertools import chain

import cv2
import numpy as np

from headmime.provenance.watermark.carriers import LAYERS, TURNS, Carriers, carriers, wave_matrix
from headmime.provenance.watermark.convolution import encode
from headmime.provenance.watermark.message import message


def embed(
    frames: Iterable[np.ndarray], payload: bytes, key: bytes, fps: float
) -> Iterator[np.ndarray]:
    """Yield the frames, uint8 RGB [H, W, 3], with `payload` (4 bytes) under `key`.

    All frames have the size of the first; `fps` is how many of them make a second.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        return
    cosine, sine = _patterns(*first.shape[:2], payload, key)
    for number, frame in enumerate(chain([first], frames)):
        angle = 2 * np.pi * TURNS * number / float(fps)
        mark = cv2.addWeighted(cosine, np.cos(angle), sine, np.sin(angle), 0)
        yield cv2.add(frame, mark, dtype=cv2.CV_8U)  # rounds, and stays within 0..255


def _patterns(height: int, width: int, payload: bytes, key: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The mark where the angle is 0 and a quarter turn, float32 [H, W, 3]."""
    coded = encode(message(payload, key))
    total = np.zeros((height, width, 3), np.complex64)
    for layer in LAYERS:
        plane = _plane(carriers(layer, key), coded, height, width)
        total += plane[..., None] * np.array(layer.colour)
    # Re(Z exp(-i angle)) = Re Z cos(angle) + Im Z sin(angle)
    return np.ascontiguousarray(total.real), np.ascontiguousarray(total.imag)


def _plane(marks: Carriers, coded: np.ndarray, height: int, width: int) -> np.ndarray:
    high, side = marks.layer.high, min(height, width)
    grid = np.zeros((2 * high + 1, 2 * high + 1), complex)
    grid[tuple((marks.waves + high).T)] = marks.spectrum(coded)
    return wave_matrix(height, side, high) @ grid @ wave_matrix(width, side, high).T
