"""The one door for outputs for people: mp4, GIF, PNG; streamed, marked, whole or not there."""

import logging
import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np

from headmime.animate.encoding import encode
from headmime.animate.sound import Sound
from headmime.errors import HeadmimeError
from headmime.files import replacing
from headmime.provenance.consent import statement
from headmime.provenance.credentials import sign
from headmime.provenance.label import labelled
from headmime.provenance.making import Kind, Making
from headmime.provenance.marks import Marks
from headmime.provenance.ready import ready
from headmime.provenance.watermark import embed
from headmime.provenance.watermark.message import PAYLOAD_BYTES

log = logging.getLogger(__name__)

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
    sound: Sound | None = None,
) -> Path:
    """Write uint8 RGB `frames` [H, W, 3] as they come; return the absolute path.

    The suffix decides: .mp4 (h264, plays in browsers), .gif (endless), .png (one frame; `fps` has
    no meaning then). `sound` goes along with an mp4. The file carries the `marks` (by default all),
    its credentials state what `making` says, and its metadata a comment that it is AI-generated; a
    drawing is no such thing, and carries credentials alone. It appears under its name when it is
    complete; after an error or Ctrl-C nothing of it stays.
    """
    path, marks = media_path(path), marks or Marks()
    tools = ready(marks)
    _tell_what_is_off(path, marks)
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise HeadmimeError(f"There are no frames to write to {path}.")
    pictures, comment = chain([first], frames), "Drawn by headmime"
    if making.kind is not Kind.DRAWN:
        comment = statement(making.consent)
        if marks.label:
            pictures = labelled(pictures)
        if tools.watermark_key:
            making = replace(making, watermark=secrets.token_bytes(PAYLOAD_BYTES))
            pictures = embed(pictures, making.watermark, tools.watermark_key, float(fps))
        if sound is not None:
            making = replace(making, kind=Kind.COMPOSITE)
    with replacing(path) as partial:
        encode(partial, pictures, Fraction(fps), comment, sound)
        if tools.signer:
            with replacing(partial) as signed:
                sign(partial, signed, making, tools.signer)
    return path


def _tell_what_is_off(path: Path, marks: Marks) -> None:
    kinds = ("label", "watermark", "credentials")
    if off := [f"provenance.{kind}=false" for kind in kinds if not getattr(marks, kind)]:
        log.warning("%s lacks marks: %s.", path.name, ", ".join(off))
