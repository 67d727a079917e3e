"""Frame rate, latency and dropped frames."""

from dataclasses import dataclass

import numpy as np

RECENT = 250  # frames


@dataclass(frozen=True)
class Throughput:
    """`latency` and `latency95`: median and 95th percentile in seconds, from capture to display."""

    frames: int
    seconds: float
    latency: float
    latency95: float
    dropped: int

    @property
    def rate(self) -> float:
        """Frames/s."""
        return (self.frames - 1) / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        return (
            f"{self.rate:.1f} frames/s, latency {1000 * self.latency:.0f} ms (95 %: "
            f"{1000 * self.latency95:.0f} ms), {self.dropped} dropped"
        )


class Stopwatch:
    """Measures the throughput of the last `RECENT` frames or of all."""

    def __init__(self) -> None:
        self._times: list[tuple[float, float]] = []
        self._dropped = 0

    def record(self, taken: float, now: float, dropped: int) -> None:
        """Record a frame captured at `taken` and displayed at `now`; `dropped`: total so far."""
        self._times.append((taken, now))
        self._dropped = dropped

    def recent(self) -> Throughput:
        """Throughput of the last `RECENT` frames."""
        return self._throughput(self._times[-RECENT:])

    def all(self) -> Throughput:
        """Throughput of all frames."""
        return self._throughput(self._times)

    def _throughput(self, times: list[tuple[float, float]]) -> Throughput:
        if not times:
            return Throughput(0, 0.0, 0.0, 0.0, self._dropped)
        latencies = [now - taken for taken, now in times]
        median, high = np.percentile(latencies, [50, 95]).tolist()
        return Throughput(len(times), times[-1][1] - times[0][1], median, high, self._dropped)
