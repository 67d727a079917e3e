"""Whose face moves how: a driving's landmarks fitted to the person who is driven."""

import numpy as np

from headmime.animate.poses import RIGID, as_complex, as_points, similarity
from headmime.errors import HeadmimeError

MOTIONS = ("absolute", "relative")

# What must not cross: two corners, then what lies above and below the line between them. The first
# row of each meets the first row of the other; further rows (the outer lips) go along.
OPENINGS = (
    (60, 64, ([61, 62, 63], [50, 51, 52]), ([67, 66, 65], [58, 57, 56])),
    (36, 39, ([37, 38],), ([41, 40],)),
    (42, 45, ([43, 44],), ([47, 46],)),
)


def fitted(driving: np.ndarray, neutral: int, source: np.ndarray, motion: str) -> np.ndarray:
    """Landmarks [T, 68, 2] to draw for the person with the neutral face `source` [68, 2].

    All in crop coordinates. "absolute": the landmarks of `driving` [T, 68, 2] themselves, in the
    driving's own crop. "relative": their change since frame `neutral`, applied to `source`.
    """
    check_motion(motion)
    if motion == "absolute":
        return driving
    return relative(driving, driving[neutral], source)


def check_motion(motion: str) -> None:
    """HeadmimeError unless `motion` is one that `fitted` knows."""
    if motion not in MOTIONS:
        raise HeadmimeError(f"motion={motion} is not known; choose one of {', '.join(MOTIONS)}.")


def relative(driving: np.ndarray, start: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The change from `start` [68, 2] to each of `driving` [T, 68, 2], seen on `source` [68, 2].

    Two parts, both measured with `start` laid over `source`: the head's shift, tilt and nearness
    are one similarity, which moves the source's face as a whole; the rest (turn, nod, mimic) is
    added point by point at the driving's amplitude. With `source` = `start` the driving comes back
    unchanged; the source's own pose and proportions stay. Lips and lids never cross.
    """
    face = as_complex(source)
    a, b = similarity(as_complex(start), face)
    before = a * as_complex(start) + b
    after = a * as_complex(driving) + b
    a, b = similarity(np.broadcast_to(before[RIGID], (len(after), len(RIGID))), after[:, RIGID])
    return as_points(a * _uncrossed(face + (after - b) / a - before) + b)


def _uncrossed(faces: np.ndarray) -> np.ndarray:
    """Complex faces [T, 68]; lips and lids that would have crossed meet half-way."""
    faces = faces.copy()
    for first, last, above, below in OPENINGS:
        across = faces[:, [last]] - faces[:, [first]]
        down = 1j * across / abs(across)
        gap = ((faces[:, below[0]] - faces[:, above[0]]) * down.conj()).real
        push = np.maximum(0, -gap) / 2 * down
        for row in above:
            faces[:, row] -= push
        for row in below:
            faces[:, row] += push
    return faces
