"""Do the source images show one person? By the distances of dlib's face-recognition network."""

import logging
from collections.abc import Sequence

import numpy as np

log = logging.getLogger(__name__)

SIDE = 256  # pixels of the crops that are compared
SAME_PERSON = 0.65
"""Largest distance within a person. dlib's own threshold, 0.6, is that of photographs (LFW). Of
8,478 pairs of frames from different files of one person, 17 % are over 0.6 and 9 % over 0.65; of
139,231 pairs of different people 1.3 % are within 0.6 and 3.3 % within 0.65 (119 people). With
three frames a file and the nearest counted, 2 % of 942 pairs of files of one person are over 0.65.
"""


def warn_of_strangers(images: np.ndarray, landmarks: np.ndarray, names: Sequence[str]) -> None:
    """Warn of images that are not linked to the others by distances up to `SAME_PERSON`.

    images uint8 [T, SIDE, SIDE, 3], landmarks [T, 68, 2] in crop coordinates. No error, since
    the network does not know every face again that is lit or turned otherwise.
    """
    if len(images) < 2:
        return
    from headmime.pretrained.dlib_identity import dlib_identity

    faces = dlib_identity()(images, landmarks)
    distances = np.linalg.norm(faces[:, None] - faces, axis=-1)
    groups = linked(distances <= SAME_PERSON)
    person = max(groups, key=len)
    strangers = [k for group in groups if group is not person for k in group]
    if strangers:
        nearest = distances[np.ix_(strangers, person)].min(1)
        log.warning(
            "%s may show another person than %s (distance of the faces %.2f; within a person "
            "mostly up to %.2f): people would be mixed into one, so leave out who is not meant.",
            ", ".join(dict.fromkeys(names[k] for k in strangers)),
            names[person[0]],
            nearest.min(),
            SAME_PERSON,
        )


def linked(near: np.ndarray) -> list[list[int]]:
    """Groups of indices that a symmetric bool matrix [T, T] links, directly or through others."""
    left, groups = set(range(len(near))), []
    while left:
        group = {min(left)}
        while more := {k for k in left - group if near[k, list(group)].any()}:
            group |= more
        left -= group
        groups.append(sorted(group))
    return groups
