"""Video files as a stream of upright sRGB frames with continuous times."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition

from headmime.data.video_colours import to_srgb
from headmime.errors import HeadmimeError
from headmime.files import open_file

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = {
    ".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4",
    ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv",
}  # fmt: skip
# Seconds between frames. A longer step than LONG_STEP, or one backward, is a jump of the clock, as
# in joined files; it is replaced by the usual step, of at most SHORT_STEP.
LONG_STEP, SHORT_STEP = 10.0, 0.2
JUMP = "%s: its clock jumps by %.1f s after %.1f s; the jump is left out."


class UnreadableVideo(HeadmimeError):
    """A file that is not a video or is damaged; `reason` is the cause without the file's name."""

    def __init__(self, path: Path | str, reason: str, remedy: str) -> None:
        super().__init__(f"{path} {reason}: {remedy}.")
        self.reason = reason


@dataclass(frozen=True)
class VideoInfo:
    """A video's metadata.

    width, height: of the frames that `read_video` yields. frames: estimated from the duration where
    the file does not count them, at least 1. duration: seconds, 0 if unknown; of the video alone if
    `own_duration`, else of the longest stream. start: of the first frame, in seconds of
    the file's own clock, which video and audio share.
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
    """A frame with lazy pixel conversion. time: seconds since the first frame, without jumps.

    damaged: the decoder found errors and concealed them. clock: seconds of the file's own clock;
    removed: seconds of its jumps so far, which `time` leaves out.
    """

    time: float
    damaged: bool
    clock: float
    removed: float
    _frame: av.VideoFrame
    _size: tuple[int, int]
    _first_size: tuple[int, int]

    def pixels(self) -> np.ndarray:
        """uint8 RGB [H, W, 3] in sRGB, upright, square pixels, of the first frame's size."""
        return _rotate_upright(self._frame, self._size, self._first_size)


def read_video_info(path: Path | str) -> VideoInfo:
    """Read a video's metadata. HeadmimeError if the file is not a video."""
    with _open(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise UnreadableVideo(path, "holds no frames", "give a video with frames")
        size = _displayed_size(first, stream)
        height, width, _ = _rotate_upright(first, size, size).shape
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
        usual = min(1 / float(stream.average_rate or stream.guessed_rate or 25), SHORT_STEP)
        first_size = None
        time = clock = removed = 0.0
        for frame in container.decode(stream):
            size = _displayed_size(frame, stream)
            now = clock + usual if frame.time is None else frame.time
            if first_size is None:
                first_size, clock = size, now
            step = now - clock
            if not 0 <= step <= LONG_STEP:
                log.warning(JUMP, Path(path).name, step, time)
                removed += step - usual
                step = usual
            time, clock = time + step, now
            yield DecodedFrame(time, frame.is_corrupt, clock, removed, frame, size, first_size)
        if first_size is None:
            raise UnreadableVideo(path, "holds no frames", "give a video with frames")


def count_frames(path: Path | str) -> int:
    """The number of frames in a video file, at least 1, counted without decoding."""
    with _open(path) as (container, stream):
        return max(1, sum(packet.size > 0 for packet in container.demux(stream)))


@contextmanager
def _open(path: Path | str) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    """Open a file and its first video stream; FFmpeg's errors become an UnreadableVideo."""
    try:
        # FFmpeg parses some names as protocols or patterns: pass the open file, not the name.
        with open_file(path) as file, av.open(file, "r", metadata_errors="replace") as container:
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


def _displayed_size(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    """Width and height with square pixels, before rotation."""
    return round(frame.width * (stream.sample_aspect_ratio or 1)), frame.height


def _rotate_upright(
    frame: av.VideoFrame, size: tuple[int, int], first_size: tuple[int, int]
) -> np.ndarray:
    """RGB array with square pixels and the stream's rotation applied. A frame whose size differs
    from the first frame's is scaled to fit, with black borders if the proportions differ.
    """
    if size != first_size:
        scale = min(there / here for there, here in zip(first_size, size, strict=True))
        size = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    image = to_srgb(frame, *size)
    if size != first_size:
        right, below = first_size[0] - size[0], first_size[1] - size[1]
        borders = (below // 2, below - below // 2), (right // 2, right - right // 2), (0, 0)
        image = np.pad(image, borders)
    quarter_turns = round(frame.rotation / 90)  # anticlockwise
    return np.ascontiguousarray(np.rot90(image, quarter_turns))
