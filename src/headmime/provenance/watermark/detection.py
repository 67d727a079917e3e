"""Watermark detection: demodulate, search over crops, decode, check."""

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

CONTENT_CUTOFF = 2.0  # Hz; slower changes are image content
FLOOR = 0.2  # grey levels; smaller differences are rounding
NEIGHBOURHOOD = 2.0, 1.5  # standard deviation in samples and in frames

# Hypotheses: shorter side after cropping / shorter side of the marked image.
SHARES = tuple(1 - 0.03 * step for step in range(9))
MAX_CROPS = 8  # crop hypotheses that are decoded, besides "not cropped"
SHIFTS = 64  # corner positions per direction
PERIOD = 4.0  # seconds per detection window
MAX_SECONDS = 16.0


@dataclass(frozen=True)
class Plane:
    """Projection of a frame for one layer: float32 [h, w], shorter side `layer.grid`; `time` in
    seconds.
    """

    layer: Layer
    values: np.ndarray
    time: float


def plane(frame: np.ndarray, time: float, layer: Layer) -> Plane:
    """Downscale a frame, uint8 RGB [H, W, 3], and project it on `layer.sense`."""
    height, width = frame.shape[:2]
    scale = layer.grid / min(height, width)
    # Aspect ratios above 8 are squeezed.
    across, down = (min(8 * layer.grid, max(layer.grid, round(n * scale))) for n in (width, height))
    small = resize(frame, across, down, cv2.INTER_LINEAR).astype(np.float32)
    return Plane(layer, cv2.transform(small, np.array([layer.sense], np.float32)), time)


def demodulate(planes: Sequence[Plane]) -> np.ndarray:
    """Demodulate planes of one layer and size -> complex [h, w]: watermark plus noise.

    Slow changes of the content are removed; each sample is weighted by the inverse local activity.
    """
    layer = planes[0].layer
    values = np.stack([one.values for one in planes]).astype(np.float32)  # [T, h, w]
    times = np.array([one.time for one in planes])
    frames = len(planes)
    rest = values.reshape(frames, -1)
    slow = _slow(times)
    rest = rest - slow @ (slow.T @ rest)
    # an eighth of the longest wave: removes shading, passes the waves
    shade = layer.grid / (np.pi * layer.low)
    rest = rest.reshape(values.shape)
    rest = np.stack([one - cv2.GaussianBlur(one, (0, 0), shade) for one in rest])
    angle = 2 * np.pi * TURNS * times
    turning = np.exp(1j * angle).astype(np.complex64) * (2 / frames)
    return np.tensordot(turning, rest / _activity(rest), 1)


def _slow(times: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis [T, n] of changes slower than `CONTENT_CUTOFF`."""
    frames = len(times)
    span = (times[-1] - times[0]) * frames / max(1, frames - 1)
    count = min(int(2 * span * CONTENT_CUTOFF) + 1, max(0, frames - 2))
    moment = (np.arange(frames) + 0.5) / frames
    basis = np.cos(np.pi * moment[:, None] * np.arange(count)).astype(np.float32)
    return np.linalg.qr(basis)[0]


def _activity(rest: np.ndarray) -> np.ndarray:
    """Local root mean square of [T, h, w] in space and time."""
    space, time = NEIGHBOURHOOD
    power = np.stack([cv2.GaussianBlur(one * one, (0, 0), space) for one in rest])
    if len(rest) > 1:
        flat = power.reshape(len(rest), -1)
        flat = cv2.GaussianBlur(flat, (1, 0), sigmaX=0.01, sigmaY=time)
        power = flat.reshape(rest.shape)
    return np.sqrt(power + FLOOR**2)


@dataclass(frozen=True)
class DetectionResult:
    """Detected `payload` (4 bytes) or None.

    bit_errors: share of wrong coded bits, if there is a payload. hypotheses: number of decoded and
    checked messages. false_alarm: upper bound of the probability that an unmarked clip yields a
    payload under a key that is independent of it.
    """

    payload: bytes | None
    bit_errors: float | None
    hypotheses: int

    @property
    def false_alarm(self) -> float:
        return self.hypotheses * 2.0**-CHECK_BITS


def detect(frames: Iterable[tuple[np.ndarray, float]], key: bytes) -> DetectionResult:
    """Detect a watermark under `key` in frames, uint8 RGB [H, W, 3], with times in seconds.

    A single frame is accepted. Reads at most the first 16 seconds, up to a change of frame size.
    """
    planes = _planes(frames)
    marks = carriers(planes[0].layer, key)
    tried = 0
    for start, end in _periods([one.time for one in planes]):
        signal = demodulate(planes[start:end])
        soft = np.stack([marks.soft(z, RATE * BITS) for z in candidates(signal, marks)])
        tried += len(soft)
        for bits, values in zip(decode(soft), soft, strict=True):
            payload = payload_of(bits, key)
            if payload is not None:
                wrong = (values < 0) != encode(bits).astype(bool)
                return DetectionResult(payload, float(wrong.mean()), tried)
    return DetectionResult(None, None, tried)


def candidates(signal: np.ndarray, marks: Carriers) -> Iterator[np.ndarray]:
    """Yield received Z [n] for the uncropped image and for the likeliest crops, by the pilots.

    `signal`: complex [h, w], from `demodulate`.
    """
    crops = [_Crop(signal, marks, share) for share in SHARES]
    yield crops[0].received(0, 0)
    for crop in sorted(crops, key=lambda crop: -crop.likelihood)[:MAX_CROPS]:
        yield crop.received(*crop.corner)


class _Crop:
    """Hypothesis that the image's shorter side is `share` of the marked image's."""

    def __init__(self, signal: np.ndarray, marks: Carriers, share: float) -> None:
        self.marks = marks
        high, (height, width) = marks.layer.high, signal.shape
        side = min(height, width) / share
        down, across = (wave_matrix(n, side, high).conj() for n in (height, width))
        spectrum = down.T @ signal @ across
        self.waves = _whiten(spectrum[tuple((marks.waves + high).T)], marks.waves)
        known = marks.waves[: marks.pilots]
        grid = np.zeros_like(spectrum)
        grid[tuple((known + high).T)] = (
            self.waves[: marks.pilots] * marks.phases[: marks.pilots].conj()
        )
        # A crop with corner d multiplies wave k by exp(2 pi i k d).
        steps = np.arange(SHIFTS)[:, None] / SHIFTS * np.arange(-high, high + 1)
        back = np.exp(-2j * np.pi * steps)
        match = np.abs(back @ grid @ back.T)
        self.likelihood = float(match.max())
        self.corner = tuple(np.array(np.unravel_index(match.argmax(), match.shape)) / SHIFTS)

    def received(self, down: float, across: float) -> np.ndarray:
        """Return the waves before cropping, rotated to the pilots' phases."""
        turned = self.waves * np.exp(-2j * np.pi * (self.marks.waves @ (down, across)))
        known = self.marks.pilots
        angle = np.angle(np.sum(turned[:known] * self.marks.phases[:known].conj()))
        return turned * np.exp(-1j * angle)


def _whiten(received: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Normalise the mean power of waves of about equal length."""
    ring = np.hypot(*waves.T).astype(int)
    power = np.bincount(ring, np.abs(received) ** 2) / np.maximum(np.bincount(ring), 1)
    return received / np.sqrt(power[ring] + 1e-12)


def _planes(frames: Iterable[tuple[np.ndarray, float]]) -> list[Plane]:
    """Project a clip to chroma, a single image to luma."""
    frames = iter(frames)
    first = list(islice(frames, 2))
    if len(first) == 1:
        return [plane(*first[0], LUMA)]
    size = first[0][0].shape
    alike = takewhile(
        lambda one: one[1] <= MAX_SECONDS and one[0].shape == size, chain(first, frames)
    )
    return [plane(frame, time, CHROMA) for frame, time in alike]


def _periods(times: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Yield index ranges: the whole clip, then each period; the last has 2 to 6 seconds."""
    yield 0, len(times)
    count = int(times[-1] / PERIOD + 0.5)
    if count > 1:
        edges = np.searchsorted(times, PERIOD * np.arange(1, count)).tolist()
        yield from (one for one in pairwise([0, *edges, len(times)]) if one[0] < one[1])
