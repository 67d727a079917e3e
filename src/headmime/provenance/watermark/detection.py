"""Reading the mark: turn its waves back, guess how the picture was cut, decode, check."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise, takewhile

import cv2
import numpy as np

from headmime.images import resize
from headmime.provenance.watermark.coding import BITS, CHECK_BITS, RATE, decode, encode, payload_of
from headmime.provenance.watermark.embedding import (
    CHROMA,
    LUMA,
    TURNS,
    Carriers,
    Layer,
    carriers,
    wave_matrix,
)

CALM = 2.0  # Hz: what changes more slowly is the clip's own motion
FLOOR = 0.2  # grey levels: below it, differences are rounding
NEAR = 2.0, 1.5  # deviation of the neighbourhood in samples and in frames

# The shorter side of what is left, in shorter sides of the marked picture.
SHARES = tuple(1 - 0.03 * step for step in range(9))
LIKELIEST = 8  # cuts that are decoded, beside "nothing was cut"
SHIFTS = 64  # places per direction that are tried for the corner
PERIOD = 4.0  # seconds that are read together
MOST = 16.0  # seconds that are looked at


@dataclass(frozen=True)
class Plane:
    """What a layer sees of one frame: float32 [h, w], the shorter of the two `layer.grid`; time in
    seconds.
    """

    layer: Layer
    values: np.ndarray
    time: float


def plane(frame: np.ndarray, time: float, layer: Layer) -> Plane:
    """Shrink a frame, uint8 RGB [H, W, 3], and project it on what the layer is read by."""
    height, width = frame.shape[:2]
    scale = layer.grid / min(height, width)
    # Strips that are longer than eight squares are squeezed.
    size = tuple(min(8 * layer.grid, max(layer.grid, round(n * scale))) for n in (width, height))
    small = resize(frame, *size, cv2.INTER_LINEAR).astype(np.float32)
    return Plane(layer, cv2.transform(small, np.array([layer.sense], np.float32)), time)


def demodulate(planes: Sequence[Plane]) -> np.ndarray:
    """Complex [h, w]: the mark, as far as it is in planes of one layer and size, and noise.

    The clip's own slow changes are taken out, and every place at every moment is weighed by how
    much else happens there.
    """
    layer = planes[0].layer
    values = np.stack([one.values for one in planes]).astype(np.float32)  # [T, h, w]
    times = np.array([one.time for one in planes])
    frames = len(planes)
    rest = values.reshape(frames, -1)
    slow = _slow(times)
    rest = rest - slow @ (slow.T @ rest)
    # an eighth of the longest wave: the waves pass, shades do not
    shade = layer.grid / (np.pi * layer.low)
    rest = rest.reshape(values.shape)
    rest = np.stack([one - cv2.GaussianBlur(one, (0, 0), shade) for one in rest])
    angle = 2 * np.pi * TURNS * times
    turning = np.exp(1j * angle).astype(np.complex64) * (2 / frames)
    return np.tensordot(turning, rest / _activity(rest), 1)


def _slow(times: np.ndarray) -> np.ndarray:
    """An orthonormal basis [T, n] of changes slower than CALM."""
    frames = len(times)
    span = (times[-1] - times[0]) * frames / max(1, frames - 1)
    count = min(int(2 * span * CALM) + 1, max(0, frames - 2))
    moment = (np.arange(frames) + 0.5) / frames
    basis = np.cos(np.pi * moment[:, None] * np.arange(count)).astype(np.float32)
    return np.linalg.qr(basis)[0]


def _activity(rest: np.ndarray) -> np.ndarray:
    """Root mean square of [T, h, w] in the neighbourhood, in space and time."""
    near, soon = NEAR
    power = np.stack([cv2.GaussianBlur(one * one, (0, 0), near) for one in rest])
    if len(rest) > 1:
        flat = power.reshape(len(rest), -1)
        flat = cv2.GaussianBlur(flat, (1, 0), sigmaX=0.01, sigmaY=soon)
        power = flat.reshape(rest.shape)
    return np.sqrt(power + FLOOR**2)


@dataclass(frozen=True)
class DetectionResult:
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


def detect(frames: Iterable[tuple[np.ndarray, float]], key: bytes) -> DetectionResult:
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
                return DetectionResult(payload, float(wrong.mean()), tried)
    return DetectionResult(None, None, tried)


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
        self.waves = _whiten(spectrum[tuple((marks.waves + high).T)], marks.waves)
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


def _whiten(received: np.ndarray, waves: np.ndarray) -> np.ndarray:
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
