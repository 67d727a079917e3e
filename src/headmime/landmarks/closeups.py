"""Location of eyes and mouth: two strips of the image."""

import numpy as np

from headmime.landmarks import points

STRIPS = ((slice(36, 48), 0.45), (slice(48, 68), 0.4))
"""For eyes (with brows) and mouth (with room to open): the points whose mean is the strip's centre,
and half of its width in units of `face_size`."""


def closeup_strips(landmarks: np.ndarray) -> np.ndarray:
    """Strips of eyes and mouth [..., 2, 2, 3] float32 of landmarks [..., 68, 2] (crop coordinates).

    Each is an affine map for `affine_grid` from strip to image coordinates, both with (-1, -1) at
    the upper left and (1, 1) at the lower right corner. Strips are twice as wide as high, parallel
    to the line between the eyes.
    """
    right, left = (landmarks[..., eye, :].mean(-2) for eye in (points.EYE_R, points.EYE_L))
    axis = left - right
    along = axis / np.maximum(np.hypot(axis[..., :1], axis[..., 1:]), 1e-6)
    down = np.stack([-along[..., 1], along[..., 0]], -1)
    size = points.face_size(landmarks)[..., None]
    maps = []
    for part, half in STRIPS:
        centre = 2 * landmarks[..., part, :].mean(-2) - 1
        maps.append(np.stack([2 * half * size * along, half * size * down, centre], -1))
    return np.stack(maps, -3).astype(np.float32)
