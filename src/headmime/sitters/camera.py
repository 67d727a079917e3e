"""A perspective camera in front of a sitter, and the square of its picture that is kept."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOCAL = 2000.0
"""Picture units per unit of slope: landmarks in these units are the `pixels` that crop_box sees."""


@dataclass(frozen=True)
class Camera:
    """place [3] in metres (y to the back, z up), axes [3, 3]: rows right, down, forward."""

    place: NDArray
    axes: NDArray

    def project(self, points: NDArray) -> NDArray:
        """Points [..., 3] in metres -> (x, y) in picture units and 1 / distance, [..., 3]."""
        seen = (points - self.place) @ self.axes.T
        nearness = 1 / seen[..., 2:]
        return np.concatenate([FOCAL * seen[..., :2] * nearness, nearness], -1)


def look_at(target: NDArray, distance: float, azimuth: float, height: float, roll: float) -> Camera:
    """A camera `distance` metres from `target` [3], turned by angles in radians.

    azimuth > 0 looks from the sitter's left, height > 0 from above, roll > 0 tilts the picture.
    """
    forward = -np.array(
        [
            np.sin(azimuth) * np.cos(height),
            -np.cos(azimuth) * np.cos(height),
            np.sin(height),
        ]
    )
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    axes = np.stack([c * right + s * down, c * down - s * right, forward])
    return Camera(target - distance * forward, axes)
