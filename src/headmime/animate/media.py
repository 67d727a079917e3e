"""The one door for outputs for people: mp4, GIF, PNG; streamed, marked, whole or not there."""

import os
import uuid
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from headmime.animate.encoding import encode
from headmime.errors import HeadmimeError
from headmime.provenance.consent import statement
from headmime.provenance.making import Making
from headmime.provenance.marks import Marks

SUFFIXES = (".mp4", ".gif", ".png")


def media_path(path: str | Path) -> Path:
    """`path` as the absolute name of an output that can be written there, its folder made.

    Call it before the work: HeadmimeError if the suffix is unknown or the place cannot be written.
    """
    path = Path(path).expanduser().absolute()
    if path.suffix.lower() not in SUFFIXES:
        raise HeadmimeError(f"out={path.name}: the name must end in {', '.join(SUFFIXES)}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HeadmimeError(f"out={path}: its folder cannot be made ({error.strerror}).") from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise HeadmimeError(f"out={path} cannot be written there; choose another name or folder.")
    return path


def write_media(
    path: str | Path,
    frames: Iterable[np.ndarray],
    fps: Fraction,
    making: Making,
    marks: Marks | None = None,
    scale: int = 1,
) -> Path:
    """Write uint8 RGB `frames` [H, W, 3] as they come; return the absolute path.

    The suffix decides: .mp4 (h264, plays in browsers), .gif (endless), .png (one frame; `fps` has
    no meaning then). `scale` enlarges by bicubic interpolation, for viewing. The file says in
    its metadata that it is AI-generated, and the `consent`. It appears under its name when it is
    complete; after an error or Ctrl-C nothing of it stays.
    """
    path = media_path(path)
    frames = iter(frames)
    partial = path.with_name(f".headmime-{uuid.uuid4().hex}{path.suffix.lower()}")
    try:
        first = next(frames, None)
        if first is None:
            raise HeadmimeError(f"There are no frames to write to {path}.")
        pictures = (enlarged(frame, scale) for frame in chain([first], frames))
        encode(partial, pictures, Fraction(fps), statement(making.consent))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def enlarged(picture: np.ndarray, scale: int) -> np.ndarray:
    """uint8 [H, W, 3] -> [scale H, scale W, 3], bicubic."""
    if scale == 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
