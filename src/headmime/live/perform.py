"""The loop: sights -> frames -> the screen, with the pace told once a second."""

from collections.abc import Callable, Iterable
from time import monotonic

import numpy as np

from headmime.images import resize
from headmime.live.eyes import Sight
from headmime.live.mime import Mime
from headmime.live.pace import Pace, Stopwatch

Show = Callable[[np.ndarray, float], bool]
"""Called with (frame uint8 [size, size, 3], when it was taken); False: that was the last one."""
Tell = Callable[[Pace], None]
EVERY = 1.0  # seconds between two tellings


def perform(mime: Mime, sights: Iterable[Sight], size: int, show: Show, tell: Tell) -> Pace:
    """Show a frame of `size` pixels for each sight, until they or the audience end; its pace.

    Ctrl-C is an end like others.
    """
    watch, told = Stopwatch(), monotonic()
    try:
        for played in mime.play(sights):
            going_on = show(resize(played.frame, size), played.taken)
            now = monotonic()
            watch.shown(played.taken, now, played.dropped)
            if now - told >= EVERY:
                told = now
                tell(watch.recent())
            if not going_on:
                break
    except KeyboardInterrupt:
        pass
    return watch.all()
