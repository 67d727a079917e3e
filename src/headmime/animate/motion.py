"""Whose face moves how: a driving's landmarks fitted to the person who is driven."""

import numpy as np

from headmime.animate.poses import LIDS, RIGID, as_complex, as_points, similarity
from headmime.errors import check_choice
from headmime.landmarks.crop import crop_box
from headmime.landmarks.points import (
    BROW_L,
    BROW_R,
    EYE_L,
    EYE_R,
    JAW,
    face_size,
    head_turn,
    mouth_opening,
)

MOTIONS = ("absolute", "relative")

PARTS = (JAW, BROW_R, BROW_L, slice(27, 36), EYE_R, EYE_L, slice(48, 68))

Opening = tuple[int, int, tuple[list[int], ...], tuple[list[int], ...]]
# What must not cross: two corners, then what lies above and below the line between them. The first
# row of each meets the first row of the other; further rows (the outer lips) go along.
LIPS = (60, 64, ([61, 62, 63], [50, 51, 52]), ([67, 66, 65], [58, 57, 56]))
LIDS_R, LIDS_L = (36, 39, ([37, 38],), ([41, 40],)), (42, 45, ([43, 44],), ([47, 46],))

SHUT = 0.4
"""What dlib still sees of a shut eye, as a share of the opening of the same eye open."""

WIDEST = 2.0
"""No eye is opened further, as a share of its usual opening."""

SILHOUETTE = 0.08
"""Of `head_turn` (16 degrees): heads turned apart by more have outlines that cannot be compared."""


def fit_landmarks(
    driving: np.ndarray, source: np.ndarray, motion: str, in_place: bool = False
) -> np.ndarray:
    """Landmarks [T, 68, 2] to draw for the person with the neutral face `source` [68, 2].

    All in crop coordinates. "absolute": the landmarks of `driving` [T, 68, 2] themselves.
    "relative": their change since the frame in which the driver looks most as the person does in
    `source`, applied to `source` (`relative_motion`); the head's place, tilt and nearness are the
    driver's, and the whole is framed by the crop rule.

    `in_place`: place, tilt and nearness change from those of `source` on instead, so that the head
    stays on its shoulders; the result is in the coordinates of the source's crop, and may leave it.
    """
    check_motion(motion)
    if motion == "absolute" and not in_place:
        return driving
    start = driving[most_similar_frame(driving, source)]
    a, b = similarity(as_complex(start), as_complex(source))
    if motion == "absolute":
        return as_points(a * as_complex(driving) + b)
    moved = relative_motion(driving, start, source)
    if in_place:
        return moved
    moved = as_points((as_complex(moved) - b) / a)
    return crop_box(moved).to_crop(moved)


def check_motion(motion: str) -> None:
    """HeadmimeError unless `motion` is one that `fit_landmarks` knows."""
    check_choice("motion", motion, MOTIONS)


def most_similar_frame(driving: np.ndarray, source: np.ndarray) -> int:
    """Index of the frame of `driving` [T, 68, 2] that looks most as `source` [68, 2] does.

    Head turned and nodded alike, mouth equally open; eyes open, tilt and mouth's width as they are
    mostly: faces differ in width, so that a smile must not be taken for a wide mouth. For a neutral
    picture it is the driving's most neutral frame.
    """
    faces, own = as_complex(driving), as_complex(source)
    a, b = similarity(faces[:, RIGID], np.broadcast_to(own[RIGID], (len(faces), len(RIGID))))
    apart = abs(a * faces + b - own).mean(-1) / face_size(source)
    mouth = abs(mouth_opening(driving) - mouth_opening(source))
    upper, lower = LIDS
    lids = np.linalg.norm(driving[:, lower] - driving[:, upper], axis=-1).mean(-1)
    lids = lids / face_size(driving)
    blink = np.maximum(0, 1 - lids / max(float(np.median(lids)), 1e-6))
    tilt = np.angle(faces[:, 45] - faces[:, 36])
    width = abs(faces[:, 54] - faces[:, 48]) / face_size(driving)
    unusual = abs(tilt - np.median(tilt)) / 0.2 + abs(width - np.median(width)) / 0.1
    # 1 stands for 8 degrees of turn, for lips apart as in speaking, or for eyes half shut.
    return int(np.argmin(apart / 0.02 + mouth / 0.05 + blink / 0.5 + unusual))


def relative_motion(driving: np.ndarray, start: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The change from `start` [68, 2] to each of `driving` [T, 68, 2], seen on `source` [68, 2].

    Measured with `start` laid over `source`: the head's shift, tilt and nearness are one
    similarity, which moves the source's face as a whole; the rest (turn, nod, expression) is added
    point by point, part by part at the scale and tilt that the part has in `source` against
    `start`. The jaw's line, a silhouette, becomes the driver's as far as source and start are
    turned apart and the driver turns. With `source` = `start` the driving comes back unchanged, but
    for lids that fall; the source's own pose and proportions stay, but lips part as far as the
    driver's do (laid over the source): shut is shut in every face, and a source that shows its
    teeth can close its mouth. Eyes open as the driver's do, in shares of their opening in `start`
    and in `source`, and are shut where the driver's seem open by `SHUT` or less. Lips and lids
    never cross.
    """
    face = as_complex(source)
    a, b = similarity(as_complex(start), face)
    before, after = a * as_complex(start) + b, a * as_complex(driving) + b
    a, b = similarity(np.broadcast_to(before[RIGID], (len(after), len(RIGID))), after[:, RIGID])
    steady = (after - b) / a
    moved = np.empty_like(steady)
    for part in PARTS:
        ratio, _ = similarity(before[part], face[part])
        moved[:, part] = face[part] + ratio * (steady - before)[:, part]
    moved = _widen_gaps(moved, _gaps(moved, LIPS) - _gaps(steady, LIPS), LIPS)
    for lids in (LIDS_R, LIDS_L):
        less = _gaps(moved, lids) - _eye_openness(steady, before, lids) * _gaps(face[None], lids)
        moved = _widen_gaps(moved, less, lids, from_above=1.0)
    turn = head_turn(start)
    apart = (
        _turn_difference(head_turn(source), turn)
        * _turn_difference(head_turn(driving), turn)[:, None]
    )
    ratio, shift = similarity(before[RIGID], face[RIGID])
    moved[:, JAW] += apart * (ratio * steady[:, JAW] + shift - moved[:, JAW])
    return as_points(a * _uncross(moved) + b)


def _turn_difference(turn: np.ndarray, other: np.ndarray) -> np.ndarray:
    """0 for heads turned alike, 1 for those whose silhouettes cannot be compared."""
    return np.minimum(1, abs(turn - other) / SILHOUETTE)


def _eye_openness(faces: np.ndarray, start: np.ndarray, lids: Opening) -> np.ndarray:
    """How far an eye of complex faces [T, 68] is open, [T, 1]: 1 as in `start` [68], 0 shut."""
    usual = max(_gaps(start[None], lids).mean(), 1e-6)
    seen = np.clip(_gaps(faces, lids).mean(1, keepdims=True) / usual, 0, WIDEST)
    return np.clip((seen - SHUT) / (1 - SHUT), 0, seen)


def _uncross(faces: np.ndarray) -> np.ndarray:
    """Complex faces [T, 68]; lips and lids that would have crossed meet half-way."""
    for opening in (LIPS, LIDS_R, LIDS_L):
        faces = _widen_gaps(faces, np.minimum(0, _gaps(faces, opening)), opening)
    return faces


def _gaps(faces: np.ndarray, opening: Opening) -> np.ndarray:
    """How far what lies below is from what lies above it, [T, n]; negative where they cross."""
    _, _, above, below = opening
    apart = faces[:, below[0]] - faces[:, above[0]]
    return (apart * _opening_direction(faces, opening).conj()).real


def _widen_gaps(
    faces: np.ndarray, less: np.ndarray, opening: Opening, from_above: float = 0.5
) -> np.ndarray:
    """Complex faces [T, 68] with gaps smaller by `less` [T, n], this share of it from above."""
    _, _, above, below = opening
    faces, push = faces.copy(), less * _opening_direction(faces, opening)
    for row in above:
        faces[:, row] += from_above * push
    for row in below:
        faces[:, row] -= (1 - from_above) * push
    return faces


def _opening_direction(faces: np.ndarray, opening: Opening) -> np.ndarray:
    """The direction across an opening, [T, 1], of length 1."""
    first, last, *_ = opening
    across = faces[:, [last]] - faces[:, [first]]
    return 1j * across / abs(across)
