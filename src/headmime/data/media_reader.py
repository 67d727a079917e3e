"""Reading of images and of videos as streams of upright frames."""

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

pi_heif.register_heif_opener()  # Image.open for HEIC files


def read_image(path: Path | str) -> np.ndarray:
    """Read an image with its EXIF orientation applied: uint8 RGB [H, W, 3].

    Transparency becomes white, 16 bits become 8, an animation gives its first frame. HeadmimeError
    if the file cannot be read as an image.
    """
    try:
        with open_file(path) as file, Image.open(file) as image:
            return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise HeadmimeError(
            f"{path} cannot be read as an image ({_reason(error)}): give a JPEG, PNG, WebP, "
            "HEIC, TIFF or GIF."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is of no known kind"  # Pillow's message names an object, not the file
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel, grey
        grey = np.asarray(image.convert("I"))
        image = Image.fromarray((grey.clip(0, 65535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


class UnreadableVideo(HeadmimeError):
    """A file that is not a video or is damaged; `reason` is the cause without the file's name."""

    def __init__(self, path: Path | str, reason: str, remedy: str) -> None:
        super().__init__(f"{path} {reason}: {remedy}.")
        self.reason = reason


@dataclass(frozen=True)
class VideoInfo:
    """A video's metadata.

    width, height: of the frames that `read_video` yields. frames: at least 1, estimated from the
    duration if the file has no count. duration: seconds, 0 if unknown; of the video stream if
    `own_duration`, else of the longest stream. start: time of the first frame on the clock that
    video and audio streams share, seconds.
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
    """A frame with lazy pixel conversion. time: seconds since the first frame.

    damaged: the decoder found errors and concealed them.
    """

    time: float
    damaged: bool
    _frame: av.VideoFrame
    _stream: av.VideoStream

    def pixels(self) -> np.ndarray:
        """uint8 RGB [H, W, 3], upright, square pixels."""
        return _rotate_upright(self._frame, self._stream)


def read_video_info(path: Path | str) -> VideoInfo:
    """Read a video's metadata. HeadmimeError if the file is not a video."""
    with _open(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise UnreadableVideo(path, "holds no frames", "give a video with frames")
        height, width, _ = _rotate_upright(first, stream).shape
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

    Holds one frame in memory. HeadmimeError, during iteration, if the file is not a video or is
    damaged.
    """
    for frame in decode_video(path):
        yield frame.pixels(), frame.time


def decode_video(path: Path | str, threads: int = 0) -> Iterator[DecodedFrame]:
    """Like `read_video`, with lazy pixels and the damage flag of each frame.

    threads: of the decoder; 0: its default.
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
            raise UnreadableVideo(path, "holds no frames", "give a video with frames")


@contextmanager
def _open(path: Path | str) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    """Open a file and its first video stream; FFmpeg's errors become an UnreadableVideo."""
    try:
        # FFmpeg parses some names as protocols or patterns: pass the open file, not the name.
        with open_file(path) as file, av.open(file, "r") as container:
            streams = [
                stream
                for stream in container.streams.video
                if not stream.disposition & Disposition.attached_pic
            ]
            if not streams:
                raise UnreadableVideo(path, "has no video in it", "give a file with a video stream")
            streams[0].thread_type = "AUTO"
            yield container, streams[0]
    except (OSError, FFmpegError) as error:
        raise UnreadableVideo(
            path,
            f"cannot be read as a video ({error.strerror})",
            "give a complete file in a format that FFmpeg supports",
        ) from error


def _rotate_upright(frame: av.VideoFrame, stream: av.VideoStream) -> np.ndarray:
    """RGB array with square pixels and the stream's rotation applied."""
    ratio = stream.sample_aspect_ratio or 1
    image = frame.to_ndarray(format="rgb24", width=round(frame.width * ratio))
    quarter_turns = round(frame.rotation / 90)  # anticlockwise
    return np.ascontiguousarray(np.rot90(image, quarter_turns))
