"""Watermark embedding: travelling plane waves with phases derived from the key.

A layer is a set of spatial frequencies k (cycles per shorter side of the image, both signs). The
mark at position x and time t is Re(exp(-2 pi i TURNS t) sum_k Z_k exp(2 pi i k x)), along one
colour direction. Cropping, resampling and a time shift change only the phases of Z.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from headmime.provenance.watermark.coding import encode, message

TURNS = 3.0  # per second
PILOTS = 0.2  # share of the waves with known phases, to estimate cropping


@dataclass(frozen=True)
class Layer:
    """Waves with low <= |k| < high, of `strength` (root mean square) along `colour` in RGB.

    Detection projects RGB on `sense`, with `sense` . `colour` = 1. `grid`: samples across the
    shorter side for detection.
    """

    name: str
    low: int
    high: int
    colour: tuple[float, float, float]
    sense: tuple[float, float, float]
    strength: float
    grid: int


# Blue against yellow (Cb at equal luma): lowest visual acuity, least activity in videos, and h264
# keeps such low frequencies at low quality.
CHROMA = Layer("chroma", 4, 8, (0.0, -0.344, 1.772), (-0.1687, -0.3313, 0.5), 2.4, 64)
# Fine grey waves for single frames, in which low frequencies cannot be separated from the content.
# Lower h264 qualities remove them.
LUMA = Layer("luma", 24, 48, (1.0, 1.0, 1.0), (0.299, 0.587, 0.114), 0.8, 192)
LAYERS = (CHROMA, LUMA)


@dataclass(frozen=True)
class Carriers:
    """A layer under a key.

    waves: int [n, 2], (ky, kx). phases: complex [n], (±1 ± i) / sqrt 2, keyed. pilots: number of
    leading waves that carry no data; the others carry two chips each.
    """

    layer: Layer
    waves: np.ndarray
    phases: np.ndarray
    pilots: int

    @property
    def chips(self) -> int:
        """Number of signs that the layer carries."""
        return 2 * (len(self.waves) - self.pilots)

    def spectrum(self, coded: np.ndarray) -> np.ndarray:
        """Modulate coded bits [m] -> Z_k [n]: chip j carries bit j modulo m."""
        signs = 1.0 - 2.0 * np.resize(coded, self.chips)
        sent = self.phases.copy()
        data = sent[self.pilots :]
        sent[self.pilots :] = np.real(data) * signs[0::2] + 1j * np.imag(data) * signs[1::2]
        # the real part of n rotating waves of amplitude a has mean square n a^2 / 2
        return sent * self.layer.strength * np.sqrt(2 / len(sent))

    def soft(self, received: np.ndarray, bits: int) -> np.ndarray:
        """Received, noisy Z [n] -> soft coded bits [bits]: inverse of `spectrum`."""
        data, phases = received[self.pilots :], self.phases[self.pilots :]
        chips = np.empty(self.chips)
        chips[0::2] = np.real(data) * np.real(phases)
        chips[1::2] = np.imag(data) * np.imag(phases)
        return np.bincount(np.arange(self.chips) % bits, chips, bits)


def carriers(layer: Layer, key: bytes) -> Carriers:
    """Return the layer's waves with keyed order and phases."""
    k = np.arange(-layer.high, layer.high + 1)
    all_waves = np.stack(np.meshgrid(k, k, indexing="ij"), -1).reshape(-1, 2)
    length = np.hypot(*all_waves.T)
    waves = all_waves[(length >= layer.low) & (length < layer.high)]
    n = len(waves)
    stream = hashlib.shake_256(b"headmime watermark 1/" + layer.name.encode() + b"/" + key)
    words = np.frombuffer(stream.digest(8 * n), "<u4").reshape(2, n)
    order = np.argsort(words[0], kind="stable")
    signs = 1.0 - 2.0 * (words[1][:, None] >> np.array([0, 1]) & 1)
    phases = (signs[:, 0] + 1j * signs[:, 1]) / np.sqrt(2)
    return Carriers(layer, waves[order], phases, round(PILOTS * n))


def wave_matrix(count: int, side: float, high: int) -> np.ndarray:
    """exp(2 pi i k x) [count, 2 high + 1] for k = -high..high at pixel centres x; `side` pixels are
    one unit of x.
    """
    x = (np.arange(count) + 0.5) / side
    return np.exp(2j * np.pi * x[:, None] * np.arange(-high, high + 1))


def embed(
    frames: Iterable[np.ndarray], payload: bytes, key: bytes, fps: float
) -> Iterator[np.ndarray]:
    """Yield the frames, uint8 RGB [H, W, 3], with `payload` (4 bytes) under `key`.

    All frames have the size of the first; `fps` is the frame rate.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        return
    height, width = first.shape[:2]
    cosine, sine = _patterns(height, width, payload, key)
    for number, frame in enumerate(chain([first], frames)):
        angle = 2 * np.pi * TURNS * number / float(fps)
        mark = cv2.addWeighted(cosine, np.cos(angle), sine, np.sin(angle), 0)
        yield cv2.add(frame, mark, dtype=cv2.CV_8U)  # rounds and saturates


def _patterns(height: int, width: int, payload: bytes, key: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The mark at angles 0 and pi / 2, float32 [H, W, 3] each."""
    coded = encode(message(payload, key))
    total = np.zeros((height, width, 3), np.complex64)
    for layer in LAYERS:
        plane = _plane(carriers(layer, key), coded, height, width)
        total += plane[..., None] * np.array(layer.colour)
    # Re(Z exp(-i angle)) = Re Z cos(angle) + Im Z sin(angle)
    return np.ascontiguousarray(total.real), np.ascontiguousarray(total.imag)


def _plane(marks: Carriers, coded: np.ndarray, height: int, width: int) -> np.ndarray:
    high, side = marks.layer.high, min(height, width)
    grid = np.zeros((2 * high + 1, 2 * high + 1), complex)
    grid[tuple((marks.waves + high).T)] = marks.spectrum(coded)
    return wave_matrix(height, side, high) @ grid @ wave_matrix(width, side, high).T
