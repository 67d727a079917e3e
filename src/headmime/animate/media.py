"""The one door for outputs for people: mp4, GIF, PNG; streamed, marked, whole or not there."""

import math
import os
import uuid
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import imageio.v3
import numpy as np
from PIL.PngImagePlugin import PngInfo

from headmime.errors import HeadmimeError
from headmime.provenance.consent import Consent, statement

SUFFIXES = (".mp4", ".gif", ".png")
QUALITY = "18"  # h264's crf: visually lossless
GIF_SHORTEST_DELAY = 2  # hundredths of a second; browsers slow down anything shorter
GIF_MOST_FRAMES = 1500  # a GIF is put together in memory, and a minute is long for one


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
    consent: Consent,
    scale: int = 1,
) -> Path:
    """Write uint8 RGB `frames` [H, W, 3] as they come; return the absolute path.

    The suffix decides: .mp4 (h264, plays in browsers), .gif (endless), .png (one frame; `fps` has
    no meaning then). `scale` enlarges by bicubic interpolation, for viewing. The file says in
    its metadata that it is AI-generated, and the `consent`. It appears under its name when it is
    complete; after an error or Ctrl-C nothing of it stays.
    """
    path = media_path(path)
    write = {".mp4": _write_mp4, ".gif": _write_gif, ".png": _write_png}[path.suffix.lower()]
    frames = iter(frames)
    partial = path.with_name(f".headmime-{uuid.uuid4().hex}{path.suffix.lower()}")
    try:
        first = next(frames, None)
        if first is None:
            raise HeadmimeError(f"There are no frames to write to {path}.")
        pictures = (enlarged(frame, scale) for frame in chain([first], frames))
        write(partial, pictures, Fraction(fps), statement(consent))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def enlarged(picture: np.ndarray, scale: int) -> np.ndarray:
    """uint8 [H, W, 3] -> [scale H, scale W, 3], bicubic."""
    if scale == 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def _write_mp4(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    # faststart: the index comes first, so that browsers play while they load
    options = {"movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        container.metadata["comment"] = comment
        stream = container.add_stream(
            "libx264", rate=fps.limit_denominator(1001), options={"crf": QUALITY}
        )
        stream.pix_fmt = "yuv420p"
        for index, frame in enumerate(frames):
            frame = _even(frame)
            if index == 0:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def _even(frame: np.ndarray) -> np.ndarray:
    """h264 with halved colour wants even sides: repeat the last row or column of odd ones."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _write_gif(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    """GIF counts in hundredths of a second: frames are left out so that the speed stays right."""
    delay = max(GIF_SHORTEST_DELAY, math.ceil(100 / fps))
    step = Fraction(delay, 100) * fps  # input frames per output frame, at least 1
    with imageio.v3.imopen(path, "w", plugin="pillow") as writer:
        written = 0
        for index, frame in enumerate(frames):
            if index != math.floor(written * step):
                continue
            if written == GIF_MOST_FRAMES:
                raise HeadmimeError(
                    f"This is too long for a GIF (over {written} frames); write .mp4 instead."
                )
            writer.write(frame, duration=10 * delay, loop=0, comment=comment.encode())
            written += 1


def _write_png(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    text = PngInfo()
    text.add_text("Comment", comment)
    (picture,) = frames
    imageio.v3.imwrite(path, picture, plugin="pillow", pnginfo=text)
