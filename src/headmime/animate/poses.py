"""Face shapes: similarity transforms, the neutral frame, farthest-point sampling of poses."""

import numpy as np

from headmime.landmarks.points import face_size, head_turn, mouth_opening

# Eye corners, bridge and base of the nose: rigid with the skull, independent of expression.
RIGID = [36, 39, 42, 45, *range(27, 36)]
# (upper, lower) points of opposite lids.
LIDS = ([37, 38, 43, 44], [41, 40, 47, 46])


def similarity(points: np.ndarray, onto: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit the similarity z -> a z + b from complex `points` [..., n] to `onto` [..., n].

    Least squares; |a| is the scale, its angle the rotation. Returns a and b, [..., 1] each.
    """
    middle, target = points.mean(-1, keepdims=True), onto.mean(-1, keepdims=True)
    centred = points - middle
    a = (centred.conj() * (onto - target)).sum(-1, keepdims=True)
    a = a / (abs(centred) ** 2).sum(-1, keepdims=True)
    return a, target - a * middle


def as_complex(landmarks: np.ndarray) -> np.ndarray:
    """[..., 68, 2] -> complex128 [..., 68]: x + iy."""
    return landmarks[..., 0].astype(np.float64) + 1j * landmarks[..., 1]


def as_points(numbers: np.ndarray) -> np.ndarray:
    """Complex [..., 68] -> float32 [..., 68, 2]: the inverse of `as_complex`."""
    return np.stack([np.real(numbers), np.imag(numbers)], -1).astype(np.float32)


def shapes(landmarks: np.ndarray) -> np.ndarray:
    """Normalise landmarks [n, 68, 2] for position, size and tilt -> complex [n, 68], face size 1.

    The remaining variation is turn, nod and expression.
    """
    faces = as_complex(landmarks)
    first = faces[:1] / face_size(landmarks[:1])[:, None]
    a, b = similarity(faces[:, RIGID], first[:, RIGID])
    aligned = a * faces + b
    return aligned - aligned[:, RIGID].mean(-1, keepdims=True)


def neutral_frame(landmarks: np.ndarray) -> int:
    """Return the index of the most neutral of n faces [n, 68, 2]: frontal, mouth closed, eyes
    open.
    """
    upper, lower = LIDS
    lids = np.linalg.norm(landmarks[:, lower] - landmarks[:, upper], axis=-1).mean(-1)
    lids = lids / face_size(landmarks)
    blink = np.maximum(0, 1 - lids / max(float(np.median(lids)), 1e-6))
    # Unit cost: 15 degrees of turn, lips apart as in speech, or half-closed eyes.
    cost = abs(head_turn(landmarks)) / 0.1 + mouth_opening(landmarks) / 0.05 + blink / 0.5
    return int(np.argmin(cost))


def spread(landmarks: np.ndarray, count: int, chosen: list[int] | None = None) -> list[int]:
    """Return at most `count` indices of n faces [n, 68, 2] that differ most in pose and expression.

    Farthest-point sampling: starts with `chosen` (default: the neutral frame), then adds the face
    whose nearest chosen one is farthest away. Deterministic: ties go to the earliest.
    """
    picked = list(chosen) if chosen else [neutral_frame(landmarks)]
    faces = shapes(landmarks)
    nearest = np.min([_distance(faces, faces[k]) for k in picked], 0)
    nearest[picked] = -1
    while len(picked) < min(count, len(landmarks)):
        picked.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, _distance(faces, faces[picked[-1]]))
        nearest[picked] = -1
    return picked[:count]


def _distance(faces: np.ndarray, face: np.ndarray) -> np.ndarray:
    return np.sqrt((abs(faces - face) ** 2).mean(-1))
