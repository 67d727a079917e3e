"""Taking jitter away without the future: the "1 euro filter" (Casiez et al., CHI 2012)."""

import math

import numpy as np

from headmime.landmarks.points import face_size

# Of two real clips at 25 frames/s, these take 3/10 of the jitter away and stay within 0.8 % of a
# face's size of what smoothing that knows the future gives (`landmarks.track.smooth`).
SLOWEST = 3.0  # Hz: what is let through of a face at rest
QUICKER = 16.0  # Hz more for every face's size per second
SPEED = 1.0  # Hz: how quickly the speed itself is believed


class OneEuroFilter:
    """Smooths points as they come: strongly at rest, hardly in motion, where lag would be seen."""

    def __init__(self) -> None:
        self._time = 0.0
        self._points: np.ndarray | None = None
        self._speed = np.zeros((68, 2))

    def __call__(self, points: np.ndarray, time: float) -> np.ndarray:
        """Points [68, 2] in any coordinates, at `time` in seconds -> [68, 2]."""
        if self._points is None or time <= self._time:
            self._points, self._time = points.astype(float), max(time, self._time)
            return points
        step = time - self._time
        change = (points - self._points) / step
        self._speed += _share(np.array(SPEED), step) * (change - self._speed)
        along = np.linalg.norm(self._speed, axis=-1, keepdims=True) / face_size(points)
        self._points = self._points + _share(SLOWEST + QUICKER * along, step) * (
            points - self._points
        )
        self._time = time
        return self._points.astype(np.float32)


def _share(cutoff: np.ndarray, step: float) -> np.ndarray:
    """Of the new value in the mean, for a low-pass filter of `cutoff` Hz and steps in seconds."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))
