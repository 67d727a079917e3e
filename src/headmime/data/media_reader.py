"""Reading images, whatever their kind, and videos as a stream of upright frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pi_heif
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from PIL import Image, ImageOps, UnidentifiedImageError

from headmime.errors import HeadmimeError
from headmime.files import open_file

pi_heif.register_heif_opener()  # telephones' HEIC files, for Image.open


def read_image(path: Path | str) -> np.ndarray:
    """A picture upright as its camera meant it: uint8 RGB [H, W, 3].

    Transparency is put on white, 16 bits become 8, an animation gives its first frame.
    HeadmimeError if the file cannot be read as a picture.
    """
    try:
        with open_file(path) as file, Image.open(file) as picture:
            return np.array(_to_rgb(ImageOps.exif_transpose(picture)))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise HeadmimeError(
            f"{path} cannot be read as a picture ({_reason(error)}): give a JPEG, PNG, WebP, "
            "HEIC, TIFF or GIF."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is of no known kind"  # Pillow's own words name an object, not the file
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel, grey
        grey = np.asarray(picture.convert("I"))
        picture = Image.fromarray((grey.clip(0, 65535) // 257).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


class UnreadableVideo(HeadmimeError):
    """A file that is not, or not wholly, a video; `reason` says why without naming the file."""

    def __init__(self, path: Path | str, reason: str, remedy: str) -> None:
        super().__init__(f"{path} {reason}: {remedy}.")
        self.reason = reason


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of itself, before it is read.

    width, height: of the frames that `read_video` yields. frames: estimated from the duration where
    the file does not count them, at least 1. duration: seconds, 0 if unknown; of the video alone if
    `own_duration`, else the longest of picture and sound. start: of the first frame, in seconds of
    the file's own clock, which picture and sound share.
    """

    width: int
    height: int
    fps: Fraction
    frames: int
    duration: float
    own_duration: bool
    has_audio: bool
    start: float


@dataclass(frozen=True)
class DecodedFrame:
    """A frame whose pixels are made when asked for. time: seconds since the first frame.

    damaged: the decoder found errors in it and has filled in something plausible.
    """

    time: float
    damaged: bool
    _frame: av.VideoFrame
    _stream: av.VideoStream

    def pixels(self) -> np.ndarray:
        """uint8 RGB [H, W, 3], upright, square pixels."""
        return _upright(self._frame, self._stream)


def video_info(path: Path | str) -> VideoInfo:
    """Look at the head of a video file. HeadmimeError if it is not one."""
    with _open(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise UnreadableVideo(path, "holds no frames", "give a video with a picture")
        height, width, _ = _upright(first, stream).shape
        fps = stream.average_rate or stream.guessed_rate or Fraction(25)
        duration = 0.0
        if stream.duration and stream.time_base:
            duration = float(stream.duration * stream.time_base)
        duration = duration or (container.duration or 0) / av.time_base
        return VideoInfo(
            width=width,
            height=height,
            fps=fps,
            frames=stream.frames or max(1, round(duration * fps)),
            duration=duration,
            own_duration=bool(stream.duration),
            has_audio=len(container.streams.audio) > 0,
            start=first.time or 0.0,
        )


def read_video(path: Path | str) -> Iterator[tuple[np.ndarray, float]]:
    """Yield (frame, time): uint8 RGB [H, W, 3], upright, square pixels; seconds since the first.

    One frame is in memory at a time. HeadmimeError, when iterated, if the file is not a video or is
    broken further on.
    """
    for frame in decode_video(path):
        yield frame.pixels(), frame.time


def decode_video(path: Path | str, threads: int = 0) -> Iterator[DecodedFrame]:
    """Like `read_video`, for who needs only some of the pixels or wants to know of damage.

    threads: the decoder's; 0 leaves their number to it.
    """
    with _open(path) as (container, stream):
        stream.codec_context.thread_count = threads
        start = None
        for number, frame in enumerate(container.decode(stream)):
            time = frame.time
            if time is None:
                time = float(number / (stream.average_rate or 25))
            start = time if start is None else start
            yield DecodedFrame(time - start, frame.is_corrupt, frame, stream)
        if start is None:
            raise UnreadableVideo(path, "holds no frames", "give a video with a picture")


@contextmanager
def _open(path: Path | str) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    """The file and its first moving stream; whatever FFmpeg has against it, as one sentence."""
    try:
        # FFmpeg takes some names for protocols or patterns: it is given the file, not the name.
        with open_file(path) as file, av.open(file, "r") as container:
            streams = [
                stream
                for stream in container.streams.video
                if not stream.disposition & Disposition.attached_pic
            ]
            if not streams:
                raise UnreadableVideo(path, "has no video in it", "give a file with a picture")
            streams[0].thread_type = "AUTO"
            yield container, streams[0]
    except (OSError, FFmpegError) as error:
        raise UnreadableVideo(
            path,
            f"cannot be read as a video ({error.strerror})",
            "give a whole file in a format that FFmpeg knows",
        ) from error


def _upright(frame: av.VideoFrame, stream: av.VideoStream) -> np.ndarray:
    """RGB pixels, square, turned as the camera was held."""
    ratio = stream.sample_aspect_ratio or 1
    picture = frame.to_ndarray(format="rgb24", width=round(frame.width * ratio))
    quarter_turns = round(frame.rotation / 90)  # anticlockwise
    return np.ascontiguousarray(np.rot90(picture, quarter_turns))
