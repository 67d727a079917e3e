"""Does the output move as the driving does? Landmarks, head pose, and both over time."""

import numpy as np

from headmime.landmarks.points import interocular

FEWEST = 8  # frames with a face: with fewer, a correlation says nothing
# A driving that moves less than this (standard deviation, units of `points.mouth_opening`,
# `points.head_turn` and `points.eye_opening`; 0.01 of turn is 2 degrees; real people who blink have
# 0.007 to 0.02 of eyes) is still: correlations would be with noise.
STILL = {"mouth": 0.01, "turn": 0.01, "eye": 0.006}
FROZEN = 1e-6  # rounding, not movement


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


def correlation(output: np.ndarray, driving: np.ndarray, still: float) -> float:
    """Pearson's correlation over frames [n]; NaN in `output` is a frame without a face.

    NaN if the driving's standard deviation is below `still`, or fewer than 8 frames have a face; 0
    if the output stands still.
    """
    x, y = _both(output, driving)
    if len(y) < FEWEST or y.std() < still:
        return np.nan
    if x.std() < FROZEN:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def amplitude(output: np.ndarray, driving: np.ndarray, still: float) -> float:
    """Standard deviation of the output over the driving's, over frames [n]; 1 is as lively.

    NaN as for `correlation`. The detector's jitter is part of it: a frozen output is not quite 0.
    """
    x, y = _both(output, driving)
    if len(y) < FEWEST or y.std() < still:
        return np.nan
    return float(x.std() / y.std())


def _both(output: np.ndarray, driving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = np.isfinite(output)
    return output[found].astype(np.float64), driving[found].astype(np.float64)


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


def nose_direction(landmarks: np.ndarray) -> np.ndarray:
    """Where the nose points, unit vectors [n, 3]; (0, 0, -1) is at the viewer."""
    return -rotations(landmarks)[:, :, 2]


def angles(landmarks: np.ndarray) -> np.ndarray:
    """Yaw (positive: to the right of the picture), pitch (down) and roll (clockwise) in degrees."""
    R = rotations(landmarks)
    x, y, z = -R[:, :, 2].T
    yaw, pitch = np.arctan2(x, -z), np.arctan2(y, np.hypot(x, z))
    roll = np.arctan2(R[:, 1, 0], R[:, 0, 0])
    return np.rad2deg(np.stack([yaw, pitch, roll], -1))


def degrees_from_sources(landmarks: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """How far each head [n, 68, 2] points away from the nearest source's [T, 68, 2]: degrees [n].

    The angle is between the directions of the noses; tilting the head does not count.
    """
    cosines = nose_direction(landmarks) @ nose_direction(sources).T
    return np.rad2deg(np.arccos(np.clip(cosines, -1, 1))).min(1)


def is_turned(landmarks: np.ndarray, sources: np.ndarray, degrees: float = 15.0) -> np.ndarray:
    """Whether a head is more than `degrees` `away` from every source's, bool [n]."""
    return degrees_from_sources(landmarks, sources) > degrees


def akd(detected: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Mean distance of the 68 points, [n, 68, 2] each, as a share of the inter-ocular distance.

    Protocol: points detected in the output against those of the true frame (or, without one, those
    it was asked to have). The unit is the largest distance between the outer corners of the eyes
    over `asked`, since it shrinks when a head turns. NaN where no face was found.
    """
    unit = interocular(asked).max()
    return np.linalg.norm(detected - asked, axis=-1).mean(-1) / unit


def apd(detected: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Mean absolute difference of yaw, pitch and roll, [n, 68, 2] each -> degrees [n].

    Protocol: angles as in `pose.angles`, from the landmarks detected in the output and from those
    of the true frame (or, without one, those it was asked to have). NaN where no face was found.
    """
    difference = np.full((len(detected), 3), np.nan)
    found = np.isfinite(detected[:, 0, 0])
    difference[found] = angles(detected[found]) - angles(asked[found])
    return abs((difference + 180) % 360 - 180).mean(1)
