"""A source as a stream of frames: a video, a folder of pictures, or a single picture."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headmime.data.image_reader import IMAGE_SUFFIXES, read_image
from headmime.data.video_reader import decode_video, video_info
from headmime.errors import HeadmimeError

PICTURES_PER_SECOND = 1.0  # in folders of pictures, as VoxCeleb1's faces were extracted
MISSING_SHARE, MISSING_SECONDS = 0.1, 0.2  # less than this at a video's end is not missed


class SourceRefused(HeadmimeError):
    """A source is not stored; `reason` says why without naming it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class FrameSource:
    """fps: frames per second of the source, those that are left out included. continuous: whether
    neighbouring frames show one motion. frames(): all that are to be looked at, from the start.
    still: whether it is a single picture.
    """

    fps: float
    continuous: bool
    frames: Callable[[], Iterator["Frame"]]
    still: bool = False


@dataclass(frozen=True)
class Frame:
    """time: seconds since the first. pixels(): uint8 RGB [H, W, 3]."""

    time: float
    pixels: Callable[[], np.ndarray]


def open_frames(path: Path, fps: float | None, longest: float) -> FrameSource:
    """The film at `path`, thinned to at most `fps` frames per second.

    Refused or UnreadableVideo, now or while its frames are read, if it is not whole, or longer than
    `longest` seconds.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return _pictures(path, fps)
        if status.st_size == 0:
            raise SourceRefused("is empty")
        if path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
            return _still(path)
        info = video_info(path)
    except OSError as error:
        raise SourceRefused(f"cannot be opened ({error.strerror})") from error
    if info.duration > longest:
        raise SourceRefused(f"is {info.duration:.0f} s long, more than max_seconds={longest:g}")
    # Streams of several kinds may end at different times: then only the video's own is trusted.
    announced = 0.0 if info.has_audio and not info.own_duration else info.duration

    def frames() -> Iterator[Frame]:
        last, shown = 0.0, -1
        for frame in decode_video(path, threads=1):
            if frame.damaged:
                raise SourceRefused(f"is damaged at {frame.time:.2f} s")
            if frame.time > longest:
                raise SourceRefused(f"is longer than max_seconds={longest:g}")
            last = frame.time
            # One frame of every 1 / fps seconds: the first in it.
            number = shown + 1 if fps is None else int(frame.time * fps + 1e-6)
            if number > shown:
                shown = number
                yield Frame(frame.time, frame.pixels)
        end = last + 1 / float(info.fps)
        if end < (1 - MISSING_SHARE) * announced - MISSING_SECONDS:
            raise SourceRefused(f"ends after {end:.1f} of the {announced:.1f} s that it announces")

    return FrameSource(float(info.fps), True, frames)


def _pictures(path: Path, fps: float | None) -> FrameSource:
    names = sorted(os.listdir(path), key=os.fsencode)
    step = 1 if fps is None else max(1, round(PICTURES_PER_SECOND / fps))

    def frames() -> Iterator[Frame]:
        for number in range(0, len(names), step):
            yield Frame(number / PICTURES_PER_SECOND, lambda n=number: _image(path / names[n]))

    return FrameSource(PICTURES_PER_SECOND, False, frames)


def _still(path: Path) -> FrameSource:
    def frames() -> Iterator[Frame]:
        yield Frame(0.0, lambda: _image(path))

    return FrameSource(PICTURES_PER_SECOND, False, frames, still=True)


def _image(path: Path) -> np.ndarray:
    try:
        return read_image(path)
    except HeadmimeError as error:
        raise SourceRefused(f"has a picture that cannot be read, {path.name}") from error
