"""Fit driving landmarks to the source person: absolute and relative motion."""

import numpy as np

from headmime.animate.poses import LIDS, RIGID, as_complex, as_points, similarity
from headmime.animate.strength import AS_DRIVEN, Strength, scale_change, scale_head
from headmime.errors import HeadmimeError, check_choice
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
# Contours that must not cross: two corners, then rows above and below the line between them. The
# first rows meet each other; further rows (outer lips) move with them.
LIPS = (60, 64, ([61, 62, 63], [50, 51, 52]), ([67, 66, 65], [58, 57, 56]))
LIDS_R, LIDS_L = (36, 39, ([37, 38],), ([41, 40],)), (42, 45, ([43, 44],), ([47, 46],))

CLOSED_EYE = 0.4
"""Opening that dlib reports for a closed eye, relative to the same eye open."""

MAX_EYE_OPENING = 2.0
"""Upper limit of an eye's opening, relative to its usual opening."""

SILHOUETTE = 0.08
"""Difference of `head_turn` (16 degrees) above which jaw outlines are not comparable."""


def fit_landmarks(
    driving: np.ndarray,
    source: np.ndarray,
    motion: str,
    in_place: bool = False,
    strength: Strength = AS_DRIVEN,
) -> np.ndarray:
    """Return the landmarks [T, 68, 2] to draw for the person with neutral face `source` [68, 2].

    All in crop coordinates. "absolute": `driving` [T, 68, 2] unchanged. "relative": its change
    since the driving frame most similar to `source`, applied to `source` (`relative_motion`);
    position, tilt and scale of the head are the driver's, and the result is framed by the crop
    rule.

    `in_place`: position, tilt and scale change relative to those of `source` instead, so that the
    head stays on its shoulders; the result is in the source crop's coordinates and may exceed 0..1.
    `strength`: of relative motion.
    """
    check_motion(motion)
    if motion == "absolute" and not in_place:
        return driving
    start = driving[most_similar_frame(driving, source)]
    a, b = similarity(as_complex(start), as_complex(source))
    if motion == "absolute":
        return as_points(a * as_complex(driving) + b)
    moved = relative_motion(driving, start, source, strength)
    if in_place:
        return moved
    moved = as_points((as_complex(moved) - b) / a)
    return crop_box(moved).to_crop(moved)


def check_motion(motion: str) -> None:
    """Raise HeadmimeError unless `motion` is in `MOTIONS`."""
    check_choice("motion", motion, MOTIONS)


def choose_motion(motion: str | None, still: bool) -> str:
    """Return the motion that was asked for; None: "relative", for a `still` driving "absolute".

    HeadmimeError for an unknown motion, and for relative motion of one image.
    """
    if motion is None:
        return "absolute" if still else "relative"
    check_motion(motion)
    if still and motion == "relative":
        raise HeadmimeError(
            "motion=relative needs a neutral frame from which the driving's change is measured, "
            "and one image has no second frame: leave motion= out, or give a video."
        )
    return motion


def most_similar_frame(driving: np.ndarray, source: np.ndarray) -> int:
    """Return the index of the frame of `driving` [T, 68, 2] most similar to `source` [68, 2].

    Compares head turn, nod and mouth opening with `source`; prefers open eyes and the driving's
    median tilt and mouth width (faces differ in width, so a smile must not be taken for a wide
    mouth). For a neutral source this is the driving's most neutral frame.
    """
    faces, own = as_complex(driving), as_complex(source)
    a, b = similarity(faces[:, RIGID], np.broadcast_to(own[RIGID], (len(faces), len(RIGID))))
    distance = abs(a * faces + b - own).mean(-1) / face_size(source)
    mouth = abs(mouth_opening(driving) - mouth_opening(source))
    upper, lower = LIDS
    lids = np.linalg.norm(driving[:, lower] - driving[:, upper], axis=-1).mean(-1)
    lids = lids / face_size(driving)
    blink = np.maximum(0, 1 - lids / max(float(np.median(lids)), 1e-6))
    tilt = np.angle(faces[:, 45] - faces[:, 36])
    width = abs(faces[:, 54] - faces[:, 48]) / face_size(driving)
    unusual = abs(tilt - np.median(tilt)) / 0.2 + abs(width - np.median(width)) / 0.1
    # Unit cost: 8 degrees of turn, lips apart as in speech, or half-closed eyes.
    return int(np.argmin(distance / 0.02 + mouth / 0.05 + blink / 0.5 + unusual))


def relative_motion(
    driving: np.ndarray,
    start: np.ndarray,
    source: np.ndarray,
    strength: Strength = AS_DRIVEN,
) -> np.ndarray:
    """Transfer the change from `start` [68, 2] to each of `driving` [T, 68, 2] to `source` [68, 2].

    `start` is first aligned to `source`. The head's shift, tilt and scale are one similarity,
    applied to the whole source face; the residual (turn, nod, expression) is added point by point,
    each part at its scale and tilt in `source` relative to `start`. The jaw line, a silhouette,
    becomes the driver's in proportion to the turn between source and start and to the driver's
    turn. With `source` = `start` the result is `driving`, except for closing lids. The source's
    pose and proportions are kept, but lips part as far as the driver's (aligned to the source):
    closed is closed in every face, and a source that shows its teeth can close its mouth. Eyes open
    by the driver's share of their opening in `start`, and are closed where the driver's share is
    `CLOSED_EYE` or less. Lips and lids never cross. `strength` scales the way from `source` to all
    of this.
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
    jaw_weight = (
        _turn_difference(head_turn(source), turn)
        * _turn_difference(head_turn(driving), turn)[:, None]
    )
    ratio, shift = similarity(before[RIGID], face[RIGID])
    moved[:, JAW] += jaw_weight * (ratio * steady[:, JAW] + shift - moved[:, JAW])
    if strength != AS_DRIVEN:
        moved = face + scale_change(moved - face, face, strength)
        a, b = scale_head(a, b, face, strength.head)
    return as_points(a * _uncross(moved) + b)


def _turn_difference(turn: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return 0 for equal turns, up to 1 for differences of `SILHOUETTE` or more."""
    return np.minimum(1, abs(turn - other) / SILHOUETTE)


def _eye_openness(faces: np.ndarray, start: np.ndarray, lids: Opening) -> np.ndarray:
    """Opening of an eye in complex faces [T, 68] -> [T, 1]: 1 as in `start` [68], 0 closed."""
    usual = max(_gaps(start[None], lids).mean(), 1e-6)
    ratio = np.clip(_gaps(faces, lids).mean(1, keepdims=True) / usual, 0, MAX_EYE_OPENING)
    return np.clip((ratio - CLOSED_EYE) / (1 - CLOSED_EYE), 0, ratio)


def _uncross(faces: np.ndarray) -> np.ndarray:
    """Move lips and lids of complex faces [T, 68] that cross to their midline."""
    for opening in (LIPS, LIDS_R, LIDS_L):
        faces = _widen_gaps(faces, np.minimum(0, _gaps(faces, opening)), opening)
    return faces


def _gaps(faces: np.ndarray, opening: Opening) -> np.ndarray:
    """Distances from upper to lower contour points, [T, n]; negative where they cross."""
    _, _, above, below = opening
    gap = faces[:, below[0]] - faces[:, above[0]]
    return np.real(gap * _opening_direction(faces, opening).conj())


def _widen_gaps(
    faces: np.ndarray, less: np.ndarray, opening: Opening, from_above: float = 0.5
) -> np.ndarray:
    """Reduce gaps of complex faces [T, 68] by `less` [T, n]; upper rows move `from_above` of it."""
    _, _, above, below = opening
    faces, push = faces.copy(), less * _opening_direction(faces, opening)
    for row in above:
        faces[:, row] += from_above * push
    for row in below:
        faces[:, row] -= (1 - from_above) * push
    return faces


def _opening_direction(faces: np.ndarray, opening: Opening) -> np.ndarray:
    """Unit direction across an opening, complex [T, 1]."""
    first, last, *_ = opening
    across = faces[:, [last]] - faces[:, [first]]
    return 1j * across / abs(across)
