"""Reading videos as a stream of upright frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from headmime.errors import HeadmimeError


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of itself, before it is read.

    width, height: of the frames that `read_video` yields. frames: estimated from the duration where
    the file does not count them, at least 1. duration: seconds, 0 if unknown.
    """

    width: int
    height: int
    fps: Fraction
    frames: int
    duration: float
    has_audio: bool


def video_info(path: Path | str) -> VideoInfo:
    """Look at the head of a video file. HeadmimeError if it is not one."""
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise HeadmimeError(f"{path} holds no frames: give a video with a picture.")
        height, width, _ = _upright(first, stream).shape
        fps = stream.average_rate or stream.guessed_rate or Fraction(25)
        duration = float(stream.duration * stream.time_base) if stream.duration else 0.0
        duration = duration or (container.duration or 0) / av.time_base
        return VideoInfo(
            width=width,
            height=height,
            fps=fps,
            frames=stream.frames or max(1, round(duration * fps)),
            duration=duration,
            has_audio=len(container.streams.audio) > 0,
        )


def read_video(path: Path | str) -> Iterator[tuple[np.ndarray, float]]:
    """Yield (frame, time): uint8 RGB [H, W, 3], upright, square pixels; seconds since the first.

    One frame is in memory at a time. HeadmimeError, when iterated, if the file is not a video or is
    broken further on.
    """
    with _opened(path) as (container, stream):
        start = None
        for number, frame in enumerate(container.decode(stream)):
            time = frame.time
            if time is None:
                time = float(number / (stream.average_rate or 25))
            start = time if start is None else start
            yield _upright(frame, stream), time - start
        if start is None:
            raise HeadmimeError(f"{path} holds no frames: give a video with a picture.")


@contextmanager
def _opened(path: Path | str) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """The file and its first moving stream; whatever FFmpeg has against it, as one sentence."""
    try:
        # FFmpeg takes some names for protocols or patterns: it is given the file, not the name.
        with open(path, "rb") as file, av.open(file) as container:
            streams = [
                stream
                for stream in container.streams.video
                if not stream.disposition & av.stream.Disposition.attached_pic
            ]
            if not streams:
                raise HeadmimeError(f"{path} has no video in it: give a file with a picture.")
            streams[0].thread_type = "AUTO"
            yield container, streams[0]
    except (OSError, av.error.FFmpegError) as error:
        raise HeadmimeError(
            f"{path} cannot be read as a video ({error.strerror}): give a whole file in a format "
            "that FFmpeg knows."
        ) from error


def _upright(frame: av.VideoFrame, stream: av.VideoStream) -> np.ndarray:
    """RGB pixels, square, turned as the camera was held."""
    ratio = stream.sample_aspect_ratio or 1
    picture = frame.to_ndarray(format="rgb24", width=round(frame.width * ratio))
    quarter_turns = round(frame.rotation / 90)  # anticlockwise
    return np.ascontiguousarray(np.rot90(picture, quarter_turns))
