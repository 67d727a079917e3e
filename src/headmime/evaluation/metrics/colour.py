"""Do the face's colours stay those of the person's pictures?"""

import cv2
import numpy as np

from headmime.evaluation.metrics.boxes import face_box


def colour_drift(
    frames: np.ndarray, landmarks: np.ndarray, sources: np.ndarray, source_landmarks: np.ndarray
) -> np.ndarray:
    """How far each frame's mean face colour is from the sources', in CIELAB (Delta E 1976) -> [n].

    Protocol: frames uint8 [n, S, S, 3] with landmarks [n, 68, 2], and sources of any side; the mean
    colour in the upright box around the landmarks, against the mean of that over all sources. About
    2 is what an eye can just see.
    """
    own = np.array([_mean_lab(*pair) for pair in zip(frames, landmarks, strict=True)])
    theirs = [_mean_lab(*pair) for pair in zip(sources, source_landmarks, strict=True)]
    return np.linalg.norm(own - np.mean(theirs, 0), axis=-1)


def _mean_lab(frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    face = frame[face_box(landmarks, len(frame))].astype(np.float32) / 255
    return cv2.cvtColor(face, cv2.COLOR_RGB2Lab).mean((0, 1))
