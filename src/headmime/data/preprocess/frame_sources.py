"""Sources as streams of frames: a video, a folder of images, or a single image."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from headmime.data.image_reader import IMAGE_SUFFIXES, read_image
from headmime.data.video_reader import decode_video, read_video_info
from headmime.errors import HeadmimeError

IMAGES_PER_SECOND = 1.0  # in folders of images, as VoxCeleb1's faces were extracted
MISSING_SHARE, MISSING_SECONDS = 0.1, 0.2  # tolerated difference to the announced duration


class SourceRefused(HeadmimeError):
    """A source cannot be stored; `reason` is the cause without the source's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class FrameSource:
    """fps: frames per second of the source, before thinning. continuous: whether adjacent frames
    are of one motion. frames(): iterates over the frames to process, from the start. still: whether
    it is a single image.
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
    """Open the source at `path`, thinned to at most `fps` frames per second.

    SourceRefused or UnreadableVideo, here or during iteration, if it is incomplete or longer than
    `longest` seconds.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return _open_folder(path, fps)
        if status.st_size == 0:
            raise SourceRefused("is empty")
        if path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
            still = [Frame(0.0, lambda: _read_image(path))]
            return FrameSource(IMAGES_PER_SECOND, False, lambda: iter(still), still=True)
        info = read_video_info(path)
    except OSError as error:
        raise SourceRefused(f"cannot be opened ({error.strerror})") from error
    if info.duration > longest:
        raise SourceRefused(f"is {info.duration:.0f} s long, more than max_seconds={longest:g}")
    # Streams may end at different times: with audio, only the video stream's duration is used.
    announced = 0.0 if info.has_audio and not info.own_duration else info.duration

    def frames() -> Iterator[Frame]:
        last, last_slot = 0.0, -1
        for frame in decode_video(path, threads=1):
            if frame.damaged:
                raise SourceRefused(f"is damaged at {frame.time:.2f} s")
            if frame.time > longest:
                raise SourceRefused(f"is longer than max_seconds={longest:g}")
            last = frame.time
            # The first frame in every slot of 1 / fps seconds.
            slot = last_slot + 1 if fps is None else int(frame.time * fps + 1e-6)
            if slot > last_slot:
                last_slot = slot
                yield Frame(frame.time, frame.pixels)
        end = last + 1 / float(info.fps)
        if end < (1 - MISSING_SHARE) * announced - MISSING_SECONDS:
            raise SourceRefused(f"ends after {end:.1f} of the {announced:.1f} s that it announces")

    return FrameSource(float(info.fps), True, frames)


def _open_folder(path: Path, fps: float | None) -> FrameSource:
    names = sorted(os.listdir(path), key=os.fsencode)
    step = 1 if fps is None else max(1, round(IMAGES_PER_SECOND / fps))
    frames = [
        Frame(number / IMAGES_PER_SECOND, partial(_read_image, path / names[number]))
        for number in range(0, len(names), step)
    ]
    return FrameSource(IMAGES_PER_SECOND, False, lambda: iter(frames))


def _read_image(path: Path) -> np.ndarray:
    try:
        return read_image(path)
    except HeadmimeError as error:
        raise SourceRefused(f"has an image that cannot be read, {path.name}") from error
