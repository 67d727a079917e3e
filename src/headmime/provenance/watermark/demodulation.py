"""From frames to one complex picture in which the turning mark stands still."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from headmime.provenance.watermark.carriers import TURNS, Layer

CALM = 2.0  # Hz: what changes more slowly is the clip's own motion
FLOOR = 0.2  # grey levels: below it, differences are rounding
NEAR = 2.0, 1.5  # deviation of the neighbourhood in samples and in frames


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
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(frame, size, interpolation=way).astype(np.float32)
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
