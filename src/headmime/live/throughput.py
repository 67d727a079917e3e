"""How many frames a second, how late, how many dropped."""

from collections import deque
from dataclasses import dataclass

import numpy as np

RECENT = 250  # frames that the line while it runs is about


@dataclass(frozen=True)
class Throughput:
    """`latency` and `latency95`: median and 95 % point, in seconds, from taken to shown."""

    frames: int
    seconds: float
    latency: float
    latency95: float
    dropped: int

    @property
    def rate(self) -> float:
        """Frames a second."""
        return (self.frames - 1) / self.seconds if self.seconds > 0 else 0.0

    def __str__(self) -> str:
        return (
            f"{self.rate:.1f} frames/s, latency {1000 * self.latency:.0f} ms (95 %: "
            f"{1000 * self.latency95:.0f} ms), {self.dropped} dropped"
        )


class Stopwatch:
    """Told of every frame, it knows the pace: of the last `RECENT` ones, or of `all` of them."""

    def __init__(self) -> None:
        self._all: list[tuple[float, float]] = []
        self._recent: deque[tuple[float, float]] = deque(maxlen=RECENT)
        self._dropped = 0

    def shown(self, taken: float, now: float, dropped: int) -> None:
        """A frame of the moment `taken` was on the screen `now`; `dropped` until then, in all."""
        self._all.append((taken, now))
        self._recent.append((taken, now))
        self._dropped = dropped

    def recent(self) -> Throughput:
        """The pace now."""
        return _throughput(list(self._recent), self._dropped)

    def all(self) -> Throughput:
        """The pace from the beginning."""
        return _throughput(self._all, self._dropped)


def _throughput(times: list[tuple[float, float]], dropped: int) -> Throughput:
    if not times:
        return Throughput(0, 0.0, 0.0, 0.0, dropped)
    late = [now - taken for taken, now in times]
    median, most = np.percentile(late, [50, 95]).tolist()
    return Throughput(len(times), times[-1][1] - times[0][1], median, most, dropped)
