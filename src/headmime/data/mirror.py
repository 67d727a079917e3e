"""Faces seen in a mirror: their landmarks change sides, and their names with them."""

import numpy as np

OTHER_SIDE = np.r_[
    16:-1:-1,  # jaw
    26:16:-1,  # brows
    27:31,  # the nose's bridge is its own other side
    35:30:-1,
    *(45, 44, 43, 42, 47, 46),  # eyes go round: over the lid, back below
    *(39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),  # so do lips
    *(64, 63, 62, 61, 60, 67, 66, 65),
]
"""Of each of the 68 points, the number of the one on the face's other side."""


def mirror_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks [..., 68, 2] in crop coordinates -> those of the picture mirrored left to right.

    The person's right eye stays at the left of the picture, as `headmime.landmarks.points` and the
    strips of `headmime.landmarks.closeups` have it.
    """
    return landmarks[..., OTHER_SIDE, :] * np.array([-1, 1], np.float32) + np.array(
        [1, 0], np.float32
    )
