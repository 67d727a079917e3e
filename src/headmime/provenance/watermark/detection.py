"""Reading the mark: guess how the picture was cut, turn the waves back, decode, check."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise, takewhile

import numpy as np

from headmime.provenance.watermark.carriers import CHROMA, LUMA, Carriers, carriers, wave_matrix
from headmime.provenance.watermark.convolution import RATE, decode, encode
from headmime.provenance.watermark.demodulation import Plane, demodulate, plane
from headmime.provenance.watermark.message import BITS, CHECK_BITS, payload_of

# The shorter side of what is left, in shorter sides of the marked picture.
SHARES = tuple(1 - 0.03 * step for step in range(9))
LIKELIEST = 8  # cuts that are decoded, beside "nothing was cut"
SHIFTS = 64  # places per direction that are tried for the corner
PERIOD = 4.0  # seconds that are read together
MOST = 16.0  # seconds that are looked at


@dataclass(frozen=True)
class Reading:
    """What was found: `payload` (4 bytes) or None.

    bit_errors: share of the coded bits that were wrong, where there is a payload. hypotheses: how
    many messages were decoded and checked. false_alarm: no more than the probability that an
    unmarked clip has a payload under a key that does not depend on it.
    """

    payload: bytes | None
    bit_errors: float | None
    hypotheses: int

    @property
    def false_alarm(self) -> float:
        return self.hypotheses * 2.0**-CHECK_BITS


def detect(frames: Iterable[tuple[np.ndarray, float]], key: bytes) -> Reading:
    """Look for a mark under `key` in frames, uint8 RGB [H, W, 3], with their times in seconds.

    One frame is enough to try. At most the first 16 seconds are read, up to a change of the size.
    """
    planes = _planes(frames)
    marks = carriers(planes[0].layer, key)
    tried = 0
    for start, end in _periods([one.time for one in planes]):
        picture = demodulate(planes[start:end])
        soft = np.stack([marks.soft(z, RATE * BITS) for z in candidates(picture, marks)])
        tried += len(soft)
        for bits, values in zip(decode(soft), soft, strict=True):
            payload = payload_of(bits, key)
            if payload is not None:
                wrong = (values < 0) != encode(bits).astype(bool)
                return Reading(payload, float(wrong.mean()), tried)
    return Reading(None, None, tried)


def candidates(picture: np.ndarray, marks: Carriers) -> Iterator[np.ndarray]:
    """Received Z [n] for the uncut picture and for the likeliest cuts, by the pilots alone.

    `picture`: complex [h, w], from `demodulate`.
    """
    seen = [_Cut(picture, marks, share) for share in SHARES]
    yield seen[0].received(0, 0)
    for cut in sorted(seen, key=lambda cut: -cut.likelihood)[:LIKELIEST]:
        yield cut.received(*cut.corner)


class _Cut:
    """The hypothesis that the picture's shorter side is `share` of the marked picture's."""

    def __init__(self, picture: np.ndarray, marks: Carriers, share: float) -> None:
        self.marks = marks
        high, (height, width) = marks.layer.high, picture.shape
        side = min(height, width) / share
        down, across = (wave_matrix(n, side, high).conj() for n in (height, width))
        spectrum = down.T @ picture @ across
        self.waves = _whitened(spectrum[tuple((marks.waves + high).T)], marks.waves)
        known = marks.waves[: marks.pilots]
        grid = np.zeros_like(spectrum)
        grid[tuple((known + high).T)] = (
            self.waves[: marks.pilots] * marks.phases[: marks.pilots].conj()
        )
        # A corner at d turns wave k by exp(2 pi i k d).
        steps = np.arange(SHIFTS)[:, None] / SHIFTS * np.arange(-high, high + 1)
        back = np.exp(-2j * np.pi * steps)
        match = np.abs(back @ grid @ back.T)
        self.likelihood = float(match.max())
        self.corner = tuple(np.array(np.unravel_index(match.argmax(), match.shape)) / SHIFTS)

    def received(self, down: float, across: float) -> np.ndarray:
        """The waves as they were before the cut, turned so that the pilots have their phases."""
        turned = self.waves * np.exp(-2j * np.pi * (self.marks.waves @ (down, across)))
        known = self.marks.pilots
        angle = np.angle(np.sum(turned[:known] * self.marks.phases[:known].conj()))
        return turned * np.exp(-1j * angle)


def _whitened(received: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Waves of about equal length have equal power together."""
    ring = np.hypot(*waves.T).astype(int)
    power = np.bincount(ring, np.abs(received) ** 2) / np.maximum(np.bincount(ring), 1)
    return received / np.sqrt(power[ring] + 1e-12)


def _planes(frames: Iterable[tuple[np.ndarray, float]]) -> list[Plane]:
    """A clip as its chroma, a single picture as its luma."""
    frames = iter(frames)
    first = list(islice(frames, 2))
    if len(first) == 1:
        return [plane(*first[0], LUMA)]
    size = first[0][0].shape
    alike = takewhile(lambda one: one[1] <= MOST and one[0].shape == size, chain(first, frames))
    return [plane(frame, time, CHROMA) for frame, time in alike]


def _periods(times: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Everything first, then period after period, as indices; the last has 2 to 6 seconds."""
    yield 0, len(times)
    count = int(times[-1] / PERIOD + 0.5)
    if count > 1:
        edges = np.searchsorted(times, PERIOD * np.arange(1, count)).tolist()
        yield from (one for one in pairwise([0, *edges, len(times)]) if one[0] < one[1])
