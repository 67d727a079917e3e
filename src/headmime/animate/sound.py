"""Audio for a video: the part of a file's first audio track that belongs to the frames."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from headmime.errors import HeadmimeError
from headmime.files import open_file

log = logging.getLogger(__name__)

RATE = 48_000  # samples a second
CLOCK_TOLERANCE = 0.02  # seconds; smaller jumps of time stamps are jitter, not gaps
BACK = 0.5  # seconds; time stamps go back by more where files were joined


@dataclass(frozen=True)
class Jump:
    """A jump of a file's clock from `last` to `next`, in its seconds. removed: seconds of all jumps
    up to this one, which are subtracted so that the video continues by one usual step.
    """

    last: float
    next: float
    removed: float


@dataclass(frozen=True)
class Sound:
    """The first audio track of `file` from `start` (seconds of the file's clock without its
    `jumps`).
    """

    file: Path
    start: float = 0.0
    jumps: tuple[Jump, ...] = ()


def has_sound(path: Path) -> bool:
    """Return whether the file has an audio track that FFmpeg can decode."""
    try:
        return next(_decode(Sound(path)), None) is not None
    except HeadmimeError:
        return False


class Playback:
    """Sequential reader: float32 stereo, 48,000 samples/s, silence before and after the track and,
    with a warning, for what cannot be decoded.
    """

    def __init__(self, sound: Sound) -> None:
        self._blocks = _blocks(sound)
        self._buffer = np.zeros((2, 0), np.float32)

    def take(self, count: int) -> np.ndarray:
        """Return the next `count` samples, [2, count] in -1..1."""
        parts, missing = [self._buffer], count - self._buffer.shape[1]
        while missing > 0:
            block = self._next()
            block = np.zeros((2, missing), np.float32) if block is None else block
            parts.append(block)
            missing -= block.shape[1]
        together = np.concatenate(parts, 1)
        self._buffer = together[:, count:]
        return together[:, :count]

    def _next(self) -> np.ndarray | None:
        try:
            return next(self._blocks, None)
        except HeadmimeError as error:  # the generator has ended
            log.warning("%s The rest is silent.", error)
            return None


def _blocks(sound: Sound) -> Iterator[np.ndarray]:
    """Yield blocks [2, n] of at most a second from `sound.start` on, gaps filled by silence."""
    written, before = 0, -math.inf
    removed, jumps = 0.0, list(sound.jumps)
    for time, block in _decode(sound):
        back = time < before - BACK
        if jumps and (
            back if jumps[0].next < jumps[0].last else time >= jumps[0].next - CLOCK_TOLERANCE
        ):
            removed = jumps.pop(0).removed
        elif back:  # a jump of the sound alone
            removed -= before - time
        if jumps and time > jumps[0].next - max(0.0, jumps[0].removed - removed):
            continue  # within what is left out of the video
        before = time + block.shape[1] / RATE
        place = round((time - removed - sound.start) * RATE)
        if written == 0 or abs(place - written) > CLOCK_TOLERANCE * RATE:
            while place > written:
                pause = min(place - written, RATE)
                yield np.zeros((2, pause), np.float32)
                written += pause
            block = block[:, max(0, written - place) :]
        if block.shape[1]:
            yield block
            written += block.shape[1]


def _decode(sound: Sound) -> Iterator[tuple[float, np.ndarray]]:
    """Yield (seconds of the file's clock, samples [2, n]) in file order, from shortly before
    `sound.start`, or from the beginning if the clock jumps.
    """
    try:
        with (
            open_file(sound.file) as file,
            av.open(file, "r", metadata_errors="replace") as container,
        ):
            if not container.streams.audio:
                raise HeadmimeError(f"{sound.file} has no sound: give another file or audio=none.")
            stream = container.streams.audio[0]
            if sound.start > 1 and not sound.jumps:
                assert stream.time_base is not None
                container.seek(int((sound.start - 1) / stream.time_base), stream=stream)
            kind, clock = None, 0.0
            resampler = av.AudioResampler("fltp", "stereo", RATE)
            for frame in chain(container.decode(stream), [None]):
                new = frame and (frame.format.name, frame.layout.name, frame.sample_rate)
                if kind and new != kind:  # the end, or where the file changes its format
                    for part in resampler.resample(None):
                        yield clock, part.to_ndarray()
                    resampler = av.AudioResampler("fltp", "stereo", RATE)
                if frame:
                    kind, clock = new, clock if frame.time is None else frame.time
                    frame.pts = None
                    for part in resampler.resample(frame):
                        yield clock, part.to_ndarray()
                    clock += frame.samples / frame.sample_rate
    except (OSError, ValueError, FFmpegError) as error:
        raise HeadmimeError(
            f"{sound.file}: its sound cannot be read ({error}); say audio=none."
        ) from error
