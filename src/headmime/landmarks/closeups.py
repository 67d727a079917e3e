"""Where eyes and mouth are: two strips of the image, few pixels that say who speaks and what."""

import numpy as np

from headmime.landmarks import points

STRIPS = ((slice(36, 48), 0.45), (slice(48, 68), 0.4))
"""The points whose mean is a strip's centre, and half its width over `face_size`: eyes with brows,
and the mouth with room to open."""


def closeup_strips(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks in crop coordinates [..., 68, 2] -> [..., 2, 2, 3] float32: of eyes and of mouth.

    Each is an affine map from a strip, twice as wide as high, (-1, -1) its upper left and (1, 1)
    its lower right corner, to the image with the same corners, as `affine_grid` takes it. Strips
    lie along the line between the eyes.
    """
    right, left = (landmarks[..., eye, :].mean(-2) for eye in (points.EYE_R, points.EYE_L))
    axis = left - right
    along = axis / np.maximum(np.hypot(axis[..., :1], axis[..., 1:]), 1e-6)
    down = np.stack([-along[..., 1], along[..., 0]], -1)
    size = points.face_size(landmarks)[..., None]
    maps = [
        np.stack(
            [
                2 * half * size * along,
                half * size * down,
                2 * landmarks[..., part, :].mean(-2) - 1,
            ],
            -1,
        )
        for part, half in STRIPS
    ]
    return np.stack(maps, -3).astype(np.float32)
