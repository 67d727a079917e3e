"""Driving templates as files: landmarks and their frame rate, nothing else of a video."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headmime.animate.driving import TEMPLATE, Driving
from headmime.animate.poses import spread
from headmime.errors import HeadmimeError
from headmime.files import replacing
from headmime.landmarks.draw import draw

COLUMNS = 8
TILE = 192  # pixels


def template_path(path: str | Path) -> Path:
    """`path` as the absolute name of a new template, its folder made; HeadmimeError if not."""
    path = Path(path).expanduser().absolute()
    if path.suffix.lower() != TEMPLATE:
        raise HeadmimeError(f"{path.name}: a template's name must end in {TEMPLATE}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HeadmimeError(f"{path}: its folder cannot be made ({error.strerror}).") from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise HeadmimeError(f"{path} cannot be written there; choose another name or folder.")
    return path


def write_template(path: str | Path, driving: Driving) -> Path:
    """Write the landmarks (rounded to 1/10,000 of the crop) and the frame rate, and nothing else.

    No picture, sound, name or time of the video is kept. The proportions of the driver's face are
    in the landmarks.
    """
    path = template_path(path)
    landmarks = np.round(driving.landmarks, 4).astype(np.float32)
    with replacing(path) as partial:
        np.savez_compressed(partial, landmarks=landmarks, fps=np.float64(driving.fps))
    return path


def drawn(driving: Driving, size: int = TILE) -> Iterator[np.ndarray]:
    """The contours of every frame, uint8 [size, size, 3]."""
    for face in driving.landmarks:
        yield draw(face, size)


def sheet(driving: Driving) -> np.ndarray:
    """One picture of the moments that differ most, in the order of time: uint8 [H, W, 3]."""
    moments = sorted(spread(driving.landmarks, COLUMNS))
    return np.concatenate([draw(driving.landmarks[k], TILE) for k in moments], 1)
