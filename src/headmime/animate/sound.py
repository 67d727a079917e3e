"""Sound for a video: the part of a file's first audio track that belongs to the frames."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np

from headmime.errors import HeadmimeError
from headmime.files import open_file

log = logging.getLogger(__name__)

RATE = 48_000  # samples a second
STEADY = 0.02  # seconds by which a file's own clock may jump without a gap being meant
BACK = 0.5  # seconds by which it goes back only where files were joined


@dataclass(frozen=True)
class Jump:
    """Of a file's clock, from `last` to `next`, both in its seconds. removed: how many of them are
    left out up to and including this jump, so that the video goes on by one usual step.
    """

    last: float
    next: float
    removed: float


@dataclass(frozen=True)
class Sound:
    """The first audio track of `file` from `start` on, in seconds of the file's clock without its
    `jumps`.
    """

    file: Path
    start: float = 0.0
    jumps: tuple[Jump, ...] = ()


def has_sound(path: Path) -> bool:
    """Whether a file has an audio track that can be decoded here."""
    try:
        return next(_decode(Sound(path)), None) is not None
    except HeadmimeError:
        return False


class Playback:
    """A sound as it plays: float32 stereo, 48,000 samples a second, silent before and after.

    What cannot be decoded is silent, too, with a warning.
    """

    def __init__(self, sound: Sound) -> None:
        self._blocks = _blocks(sound)
        self._kept = np.zeros((2, 0), np.float32)

    def take(self, count: int) -> np.ndarray:
        """The next `count` samples, [2, count] in -1..1."""
        parts, missing = [self._kept], count - self._kept.shape[1]
        while missing > 0:
            block = self._next()
            block = np.zeros((2, missing), np.float32) if block is None else block
            parts.append(block)
            missing -= block.shape[1]
        together = np.concatenate(parts, 1)
        self._kept = together[:, count:]
        return together[:, :count]

    def _next(self) -> np.ndarray | None:
        try:
            return next(self._blocks, None)
        except HeadmimeError as error:  # the generator has ended
            log.warning("%s The rest is silent.", error)
            return None


def _blocks(sound: Sound) -> Iterator[np.ndarray]:
    """The track without gaps, from `sound.start` on: [2, n] each, at most a second, with silence
    where it pauses.
    """
    written, before = 0, -math.inf
    removed, jumps = 0.0, list(sound.jumps)
    for time, block in _decode(sound):
        back = time < before - BACK
        if jumps and (back if jumps[0].next < jumps[0].last else time >= jumps[0].next - STEADY):
            removed = jumps.pop(0).removed
        elif back:  # a jump of the sound alone
            removed -= before - time
        if jumps and time > jumps[0].next - max(0.0, jumps[0].removed - removed):
            continue  # within what is left out of the video
        before = time + block.shape[1] / RATE
        place = round((time - removed - sound.start) * RATE)
        if written == 0 or abs(place - written) > STEADY * RATE:
            while place > written:
                pause = min(place - written, RATE)
                yield np.zeros((2, pause), np.float32)
                written += pause
            block = block[:, max(0, written - place) :]
        if block.shape[1]:
            yield block
            written += block.shape[1]


def _decode(sound: Sound) -> Iterator[tuple[float, np.ndarray]]:
    """(seconds of the file's clock, samples [2, n]) in the order of the file; from a little before
    `sound.start`, or from the beginning where the clock jumps.
    """
    try:
        with open_file(sound.file) as file, av.open(file) as container:
            if not container.streams.audio:
                raise HeadmimeError(f"{sound.file} has no sound: give another file or audio=none.")
            stream = container.streams.audio[0]
            if sound.start > 1 and not sound.jumps:
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
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise HeadmimeError(
            f"{sound.file}: its sound cannot be read ({error}); say audio=none."
        ) from error
