"""Frames into a file of one format: mp4, GIF, PNG; streamed, at the path that is given."""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import imageio.v3
import numpy as np
from PIL.PngImagePlugin import PngInfo

from headmime.errors import HeadmimeError

QUALITY = "18"  # h264's crf: visually lossless
GIF_SHORTEST_DELAY = 2  # hundredths of a second; browsers slow down anything shorter
GIF_MOST_FRAMES = 1500  # a GIF is put together in memory, and a minute is long for one


def encode(path: Path, frames: Iterator[np.ndarray], fps: Fraction, comment: str) -> None:
    """Write uint8 RGB `frames` [H, W, 3] as they come, in the format of `path`'s suffix.

    .mp4 (h264, plays in browsers), .gif (endless), .png (one frame; `fps` has no meaning then).
    `comment` goes into the file's metadata.
    """
    write = {".mp4": _write_mp4, ".gif": _write_gif, ".png": _write_png}[path.suffix.lower()]
    write(path, frames, fps, comment)


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
