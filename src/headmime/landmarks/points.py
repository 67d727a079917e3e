"""The 68 iBUG landmarks: index ranges, and measures of face size, expression and pose.

Right and left are the person's: the right eye is on the left side of the image.
"""

import numpy as np

POINTS = 68

JAW = slice(0, 17)
BROW_R = slice(17, 22)
BROW_L = slice(22, 27)
NOSE_BRIDGE = slice(27, 31)
NOSE_BASE = slice(31, 36)
EYE_R = slice(36, 42)
EYE_L = slice(42, 48)
LIPS_OUTER = slice(48, 60)
LIPS_INNER = slice(60, 68)

NOSE_TIP = 30
CHIN = 8

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


def interocular(pixels: np.ndarray) -> np.ndarray:
    """Distance between the outer corners of the eyes, [..., 68, 2] -> [...], in the input's units.

    The usual unit of landmark errors. It decreases when the head turns.
    """
    return _length(pixels[..., 36, :] - pixels[..., 45, :])


def face_size(pixels: np.ndarray) -> np.ndarray:
    """About the distance from brows to chin, [..., 68, 2] -> [...], in the input's units.

    The larger of 2.0 x (eye to eye) and 1.8 x (eyes to mouth), as in FFHQ's alignment: yaw shortens
    the first and pitch the second, rarely both; opening the mouth changes neither.
    """
    eye_r, eye_l, mouth = _eyes_and_mouth(pixels)
    return np.maximum(2.0 * _length(eye_l - eye_r), 1.8 * _length(mouth - (eye_r + eye_l) / 2))


def mouth_opening(landmarks: np.ndarray) -> np.ndarray:
    """Mean gap between the inner lips over `face_size`, [..., 68, 2] -> [...].

    Dimensionless: 0 closed, about 0.05 speaking, above 0.2 wide open. Crossed inner lips, an error
    of detectors on closed mouths, count as 0.
    """
    gap = landmarks[..., [65, 66, 67], :] - landmarks[..., [63, 62, 61], :]
    eye_r, eye_l, mouth = _eyes_and_mouth(landmarks)
    down = mouth - (eye_r + eye_l) / 2
    uncrossed = (gap * down[..., None, :]).sum(-1) > 0
    return (_length(gap) * uncrossed).mean(-1) / face_size(landmarks)


def eye_opening(landmarks: np.ndarray) -> np.ndarray:
    """Mean gap between the lids of both eyes over `face_size`, [..., 68, 2] -> [...].

    Dimensionless: 0.04 to 0.08 for open eyes; for closed ones below 0.01 with exact points, 0.02 to
    0.04 with dlib's.
    """
    gap = landmarks[..., [37, 38, 43, 44], :] - landmarks[..., [41, 40, 47, 46], :]
    return _length(gap).mean(-1) / face_size(landmarks)


def head_turn(landmarks: np.ndarray) -> np.ndarray:
    """Yaw measure: offset of the nose's tip from the midpoint of the eyes along their axis, over
    `face_size`.

    [..., 68, 2] -> [...], dimensionless, invariant to roll: 0 is frontal, positive is turned to the
    right side of the image, about 0.07 for 15 degrees and 0.2 for 45.
    """
    eye_r, eye_l, _ = _eyes_and_mouth(landmarks)
    axis = eye_l - eye_r
    offset = landmarks[..., NOSE_TIP, :] - (eye_r + eye_l) / 2
    return (offset * axis).sum(-1) / _length(axis) / face_size(landmarks)


def mirror_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks [..., 68, 2] in crop coordinates -> those of the horizontally mirrored image.

    The person's right eye stays on the left of the image, by this module's convention.
    """
    return landmarks[..., OTHER_SIDE, :] * np.array([-1, 1], "f4") + np.array([1, 0], "f4")


def _eyes_and_mouth(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mouth = (points[..., 48, :] + points[..., 54, :]) / 2  # corners: opening does not move them
    return points[..., EYE_R, :].mean(-2), points[..., EYE_L, :].mean(-2), mouth


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.hypot(vectors[..., 0], vectors[..., 1])
