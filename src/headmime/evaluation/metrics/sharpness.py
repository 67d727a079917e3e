"""How sharp the face is."""

import cv2
import numpy as np


def sharpness(frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Mean absolute Laplacian (3x3) of the grey picture around the face, uint8 [n, S, S, 3] -> [n].

    Protocol: the upright box around the 68 landmarks [n, 68, 2] in crop coordinates, cut off at the
    border; pixels are not resized. Results are reported over the mean of the person's source
    frames: 1 is as sharp as these. Noise counts as sharpness.
    """
    return np.array([_one(frame, points) for frame, points in zip(frames, landmarks, strict=True)])


def _one(frame: np.ndarray, points: np.ndarray) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    size = len(frame)
    low = np.clip(np.floor(points.min(0) * size), 0, size - 4).astype(int)
    high = np.maximum(np.clip(np.ceil(points.max(0) * size), 0, size).astype(int), low + 4)
    edges = abs(cv2.Laplacian(grey, cv2.CV_32F))
    return float(edges[low[1] : high[1], low[0] : high[0]].mean())
