"""How sharp the face is."""

import cv2
import numpy as np

from headmime.evaluation.metrics.boxes import face_box
from headmime.pixels import laplacian_variance

SIDE = 128


def face_sharpness(
    frames: np.ndarray, landmarks: np.ndarray, sources: np.ndarray, source_landmarks: np.ndarray
) -> float:
    """Median over frames of the sharpness of the face, over the median of the person's sources.

    Protocol: frames uint8 [n, S, S, 3] with landmarks [n, 68, 2] in crop coordinates, sources at
    the resolution in which they are stored; sharpness is the variance of the 4-neighbour Laplacian
    of the grey values in the upright box around the landmarks, which is resized to 128x128 (areas
    averaged, or bilinear where it is smaller). 1 is as sharp as the sources. Noise counts: above
    1.2 is a miss, and LPIPS stands beside it. NaN if the sources are flat.
    """
    own, theirs = (
        np.median([_variance(*pair) for pair in zip(*one, strict=True)])
        for one in ((frames, landmarks), (sources, source_landmarks))
    )
    return float(own / theirs) if theirs > 0 else np.nan


def _variance(frame: np.ndarray, landmarks: np.ndarray) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[face_box(landmarks, len(frame))]
    way = cv2.INTER_AREA if max(grey.shape) > SIDE else cv2.INTER_LINEAR
    return laplacian_variance(cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=way))


def sharpness(frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Mean absolute Laplacian (3x3) of the grey picture around the face, uint8 [n, S, S, 3] -> [n].

    Protocol: the upright box around the 68 landmarks [n, 68, 2] in crop coordinates; pixels are not
    resized, so that a small model may be as sharp as a large one. Results are reported over the
    mean of the person's source frames: 1 is as sharp as these. Noise counts as sharpness.
    """
    return np.array([_edges(*pair) for pair in zip(frames, landmarks, strict=True)])


def _edges(frame: np.ndarray, landmarks: np.ndarray) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(abs(cv2.Laplacian(grey, cv2.CV_32F))[face_box(landmarks, len(frame))].mean())
