"""Whether the files of one person show one person, by dlib's face-recognition network."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headmime.pretrained.dlib_identity import dlib_identity

SAME_PERSON = 0.6  # L2 distance of embeddings: dlib's own threshold
LEAST_SIDE = 64  # pixels: smaller faces tell nobody


def other_people(files: Sequence[Path], frames: np.ndarray, landmarks: np.ndarray) -> list[Path]:
    """Return those of `files` that do not show the person whom most of them show.

    files: of each frame; frames uint8 [T, S, S, 3], landmarks [T, 68, 2] in crop coordinates. One
    frame of each file is compared; files are of one person if a chain of similar faces joins them.
    """
    firsts = [files.index(file) for file in dict.fromkeys(files)]
    if len(firsts) < 2 or frames.shape[1] < LEAST_SIDE:
        return []
    e = dlib_identity()(frames[firsts], landmarks[firsts])
    people = _connected(np.linalg.norm(e[:, None] - e[None], axis=-1) < SAME_PERSON)
    most = max(people, key=people.count)
    return [files[k] for k, person in zip(firsts, people, strict=True) if person != most]


def _connected(same: np.ndarray) -> list[int]:
    """Number the connected parts of a symmetric relation [n, n]."""
    reach = np.linalg.matrix_power(same.astype(float), len(same)) > 0
    return reach.argmax(1).tolist()
