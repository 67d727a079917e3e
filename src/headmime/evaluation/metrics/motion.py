"""Motion metrics: landmark and head pose errors, correlation and amplitude over time."""

import numpy as np

from headmime.landmarks.points import interocular

MIN_FRAMES = 8  # with a face; correlations of fewer are meaningless
# Standard deviation below which a driving counts as still, since correlations would be with noise
# (units of `points.mouth_opening`, `points.head_turn` and `points.eye_opening`; 0.01 of turn is 2
# degrees; real people who blink have 0.007 to 0.02 of eyes).
STILL = {"mouth": 0.01, "turn": 0.01, "eye": 0.006}
FROZEN = 1e-6  # rounding error


# Outer and inner eye corners, bridge and base of the nose: independent of expression.
RIGID = [36, 39, 42, 45, *range(27, 36)]
# Their positions on MakeHuman's average head, in millimetres around their mean: x to the right of
# the image, y down, z away from the viewer.
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


def correlation(output: np.ndarray, driving: np.ndarray, still: float) -> float:
    """Pearson's correlation over frames [n]; NaN in `output` is a frame without a face.

    NaN if the driving's standard deviation is below `still`, or fewer than 8 frames have a face; 0
    if the output does not move.
    """
    x, y = _both(output, driving)
    if len(y) < MIN_FRAMES or y.std() < still:
        return np.nan
    if x.std() < FROZEN:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def amplitude(output: np.ndarray, driving: np.ndarray, still: float) -> float:
    """Standard deviation over frames [n] of the output, divided by the driving's; 1 is equal.

    NaN as for `correlation`. It includes detector jitter, so a static output is slightly above 0.
    """
    x, y = _both(output, driving)
    if len(y) < MIN_FRAMES or y.std() < still:
        return np.nan
    return float(x.std() / y.std())


def _both(output: np.ndarray, driving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = np.isfinite(output)
    return output[found].astype(np.float64), driving[found].astype(np.float64)


def rotations(landmarks: np.ndarray) -> np.ndarray:
    """Head rotations for landmarks [n, 68, 2] -> [n, 3, 3]; frontal is the identity.

    Weak perspective: least-squares affine map from the average head to 13 rigid points, projected
    to the nearest scaled rotation. Independent of units and crop.
    """
    points = landmarks[:, RIGID].astype(np.float64)
    centred = points - points.mean(1, keepdims=True)
    model = HEAD - HEAD.mean(0)
    affine = centred.transpose(0, 2, 1) @ np.linalg.pinv(model).T  # [n, 2, 3]
    U, _, Vt = np.linalg.svd(affine, full_matrices=False)
    rows = U @ Vt
    return np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], 1)


def nose_direction(landmarks: np.ndarray) -> np.ndarray:
    """Nose direction, unit vectors [n, 3]; (0, 0, -1) is towards the viewer."""
    return -rotations(landmarks)[:, :, 2]


def angles(landmarks: np.ndarray) -> np.ndarray:
    """Yaw (positive: to the right of the image), pitch (down) and roll (clockwise) in degrees."""
    R = rotations(landmarks)
    x, y, z = -R[:, :, 2].T
    yaw, pitch = np.arctan2(x, -z), np.arctan2(y, np.hypot(x, z))
    roll = np.arctan2(R[:, 1, 0], R[:, 0, 0])
    return np.rad2deg(np.stack([yaw, pitch, roll], -1))


def degrees_from_sources(landmarks: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Angle between each head [n, 68, 2] and the nearest source's [T, 68, 2], in degrees [n].

    Angle between nose directions; independent of tilt.
    """
    cosines = nose_direction(landmarks) @ nose_direction(sources).T
    return np.rad2deg(np.arccos(np.clip(cosines, -1, 1))).min(1)


def is_turned(landmarks: np.ndarray, sources: np.ndarray, degrees: float = 15.0) -> np.ndarray:
    """Return whether `degrees_from_sources` exceeds `degrees`, bool [n]."""
    return degrees_from_sources(landmarks, sources) > degrees


def akd(detected: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Average keypoint distance of 68 points, [n, 68, 2] each, in inter-ocular distances -> [n].

    Protocol: points detected in the output against those of the true frame (or, without one, the
    target landmarks). The unit is the largest distance between the outer eye corners over `target`,
    because turning the head shortens it. NaN if no face was found.
    """
    unit = interocular(target).max()
    return np.linalg.norm(detected - target, axis=-1).mean(-1) / unit


def apd(detected: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Average pose distance: mean absolute difference of yaw, pitch and roll in degrees -> [n].

    Protocol: `angles` of the landmarks detected in the output and of those of the true frame (or,
    without one, the target landmarks), [n, 68, 2] each. NaN if no face was found.
    """
    difference = np.full((len(detected), 3), np.nan)
    found = np.isfinite(detected[:, 0, 0])
    difference[found] = angles(detected[found]) - angles(target[found])
    return abs((difference + 180) % 360 - 180).mean(1)
