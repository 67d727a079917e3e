"""How far a job is, in words; and a way to stop it."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

Tell = Callable[[float, str], None]
"""Called with (the share that is done, a sentence)."""


class Stopped(Exception):
    """Somebody pressed Stop or closed the page."""


class Progress:
    """Callbacks for the API: each step is told with the time that is left, unless `stop` is set."""

    def __init__(self, tell: Tell, stop: threading.Event) -> None:
        self._tell = tell
        self._stop = stop

    def say(self, text: str) -> None:
        """The beginning of something that cannot be counted. Raises Stopped."""
        if self._stop.is_set():
            raise Stopped
        self._tell(0.0, text)

    def counted(self, text: str) -> Callable[..., None]:
        """A callback that takes (done, in all or None) and whatever else comes with them."""
        began = monotonic()

        def on_step(done: int, total: int | None, *_: Any) -> None:
            if self._stop.is_set():
                raise Stopped
            if total is None:
                self._tell(0.0, f"{text}: {done}")
                return
            left = time_left(done, total, monotonic() - began)
            self._tell(min(done / total, 1), f"{text}: {done} of {max(done, total)}{left}")

        return on_step


def time_left(done: int, total: int, seconds: float) -> str:
    """`, about 20 s left` after `seconds` for `done` of `total` steps; "" where nobody can know."""
    if seconds < 1 or not 0 < done < total:
        return ""
    left = seconds * (total - done) / done
    if left < 100:
        return f", about {max(1, round(left))} s left"
    return f", about {round(left / 60)} min left"
