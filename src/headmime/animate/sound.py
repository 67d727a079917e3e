"""Audio for a video: the part of a file's first audio track that belongs to the frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from headmime.errors import HeadmimeError
from headmime.files import open_file

RATE = 48_000  # samples a second
CLOCK_TOLERANCE = 0.02  # seconds; smaller jumps of time stamps are jitter, not gaps


@dataclass(frozen=True)
class Sound:
    """The first audio track of `file` from `start` (seconds of the file's clock)."""

    file: Path
    start: float = 0.0


def has_sound(path: Path) -> bool:
    """Return whether FFmpeg can open the file and finds an audio track."""
    try:
        with open_file(path) as file, av.open(file) as container:
            return len(container.streams.audio) > 0
    except (OSError, FFmpegError):
        return False


class Playback:
    """Sequential reader: float32 stereo, 48,000 samples/s, silence before and after the track."""

    def __init__(self, sound: Sound) -> None:
        self._blocks = _blocks(sound)
        self._buffer = np.zeros((2, 0), np.float32)

    def take(self, count: int) -> np.ndarray:
        """Return the next `count` samples, [2, count] in -1..1."""
        parts, missing = [self._buffer], count - self._buffer.shape[1]
        while missing > 0:
            block = next(self._blocks, None)
            block = np.zeros((2, missing), np.float32) if block is None else block
            parts.append(block)
            missing -= block.shape[1]
        together = np.concatenate(parts, 1)
        self._buffer = together[:, count:]
        return together[:, :count]


def _blocks(sound: Sound) -> Iterator[np.ndarray]:
    """Yield blocks [2, n] from `sound.start` on, with gaps filled by silence."""
    written = 0
    for time, block in _decode(sound):
        place = round((time - sound.start) * RATE)
        if written == 0 or abs(place - written) > CLOCK_TOLERANCE * RATE:
            if place > written:
                yield np.zeros((2, place - written), np.float32)
                written = place
            block = block[:, max(0, written - place) :]
        if block.shape[1]:
            yield block
            written += block.shape[1]


def _decode(sound: Sound) -> Iterator[tuple[float, np.ndarray]]:
    """Yield (seconds, samples [2, n]) in file order, from shortly before `sound.start`."""
    resampler = av.AudioResampler("fltp", "stereo", RATE)
    try:
        with open_file(sound.file) as file, av.open(file, "r") as container:
            if not container.streams.audio:
                raise HeadmimeError(f"{sound.file} has no sound: give another file or audio=none.")
            stream = container.streams.audio[0]
            if sound.start > 1:
                assert stream.time_base is not None
                container.seek(int((sound.start - 1) / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                for part in resampler.resample(frame):
                    yield _seconds(part), part.to_ndarray()
            for part in resampler.resample(None):
                yield _seconds(part), part.to_ndarray()
    except (OSError, FFmpegError) as error:
        raise HeadmimeError(
            f"{sound.file}: its sound cannot be read ({error.strerror}); say audio=none."
        ) from error


def _seconds(part: av.AudioFrame) -> float:
    assert part.pts is not None and part.time_base is not None  # resampled frames have a time
    return float(part.pts * part.time_base)
