"""How a head is turned, from its landmarks alone."""

import numpy as np

# Outer and inner corners of the eyes, bridge and base of the nose: what no expression moves.
RIGID = [36, 39, 42, 45, *range(27, 36)]
# Where they are on MakeHuman's average head, in millimetres around their middle: x to the right of
# the picture, y down, z away from the viewer.
HEAD = np.array(
    [
        (-45.4, -25.1, 14.1),
        (-19.2, -21.1, 12.3),
        (19.2, -21.1, 12.3),
        (45.4, -25.1, 14.1),
        (0.0, -28.0, 1.1),
        (0.0, -10.7, -3.7),
        (0.0, -1.0, -10.2),
        (0.0, 12.4, -18.5),
        (-13.6, 22.0, -1.5),
        (-7.0, 23.9, -5.6),
        (0.0, 27.8, -7.4),
        (7.0, 23.9, -5.6),
        (13.6, 22.0, -1.5),
    ]
)


def rotations(landmarks: np.ndarray) -> np.ndarray:
    """The rotation of the head for landmarks [n, 68, 2] -> [n, 3, 3]; frontal is the identity.

    Weak perspective: the least-squares affine map from the average head to 13 points that no
    expression moves, brought to the nearest scaled rotation. Units and crop do not matter.
    """
    points = landmarks[:, RIGID].astype(np.float64)
    centred = points - points.mean(1, keepdims=True)
    model = HEAD - HEAD.mean(0)
    affine = centred.transpose(0, 2, 1) @ np.linalg.pinv(model).T  # [n, 2, 3]
    U, _, Vt = np.linalg.svd(affine, full_matrices=False)
    rows = U @ Vt
    return np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], 1)


def facing(landmarks: np.ndarray) -> np.ndarray:
    """Where the nose points, unit vectors [n, 3]; (0, 0, -1) is at the viewer."""
    return -rotations(landmarks)[:, :, 2]


def angles(landmarks: np.ndarray) -> np.ndarray:
    """Yaw (positive: to the right of the picture), pitch (down) and roll (clockwise) in degrees."""
    R = rotations(landmarks)
    x, y, z = -R[:, :, 2].T
    yaw, pitch = np.arctan2(x, -z), np.arctan2(y, np.hypot(x, z))
    roll = np.arctan2(R[:, 1, 0], R[:, 0, 0])
    return np.rad2deg(np.stack([yaw, pitch, roll], -1))


def away(landmarks: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """How far each head [n, 68, 2] points away from the nearest source's [T, 68, 2]: degrees [n].

    The angle is between the directions of the noses; tilting the head does not count.
    """
    cosines = facing(landmarks) @ facing(sources).T
    return np.rad2deg(np.arccos(np.clip(cosines, -1, 1))).min(1)


def turned(landmarks: np.ndarray, sources: np.ndarray, degrees: float = 15.0) -> np.ndarray:
    """Whether a head is more than `degrees` `away` from every source's, bool [n]."""
    return away(landmarks, sources) > degrees
