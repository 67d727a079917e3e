"""Does the picture change where nothing moves?"""

import cv2
import numpy as np

from headmime.evaluation.metrics.boxes import face_box
from headmime.landmarks.points import face_size

UNMOVED = 0.01
"""Mean distance of the landmarks of two frames, in face sizes, below which nothing has moved."""

BESIDE = 0.25
"""The background is the columns beside the face's box enlarged by this share on both sides."""


def flicker(frames: np.ndarray, landmarks: np.ndarray) -> tuple[float, float]:
    """Mean absolute change of grey values (0..255) of the face and of the background.

    Protocol: over all pairs of frames uint8 [n, S, S, 3] of one video whose landmarks [n, 68, 2]
    (those that the frames were asked to have) are within `UNMOVED` of each other; the boxes are
    those of the first of the two. NaN without such a pair, or without background. The true frames
    of the same video have a flicker of their own to compare with: noise, light, hair.
    """
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]).astype(float)
    size = frames.shape[1]
    distances = np.linalg.norm(landmarks[:, None] - landmarks[None], axis=-1).mean(-1)
    pairs = np.argwhere(np.triu(distances < UNMOVED * face_size(landmarks).mean(), 1))
    face, background = [], []
    for one, other in pairs:
        change = np.abs(grey[one] - grey[other])
        face.append(change[face_box(landmarks[one], size)].mean())
        _, columns = face_box(landmarks[one], size, BESIDE)
        beside = np.delete(change, columns, axis=1)
        if beside.size:
            background.append(beside.mean())
    return tuple(float(np.mean(part)) if part else np.nan for part in (face, background))
