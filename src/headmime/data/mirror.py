"""Mirroring of landmarks: coordinates are flipped and left and right points exchanged."""

import numpy as np

OTHER_SIDE = np.r_[
    16:-1:-1,  # jaw
    26:16:-1,  # brows
    27:31,  # bridge of the nose
    35:30:-1,
    *(45, 44, 43, 42, 47, 46),  # eyes are numbered around: upper lid, then lower lid
    *(39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),  # lips likewise
    *(64, 63, 62, 61, 60, 67, 66, 65),
]
"""For each of the 68 points, the index of the point mirrored onto it."""


def mirror_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks [..., 68, 2] in crop coordinates -> those of the horizontally mirrored image.

    The person's right eye stays on the left of the image, the convention of
    `headmime.landmarks.points` and `headmime.landmarks.closeups`.
    """
    return landmarks[..., OTHER_SIDE, :] * np.array([-1, 1], np.float32) + np.array(
        [1, 0], np.float32
    )
