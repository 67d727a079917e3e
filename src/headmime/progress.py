"""Log lines and progress bars on one console (stderr)."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Item = TypeVar("Item")
OnFrame = Callable[[int, int | None], None]
"""Called with (frames done, total number of frames or None)."""

console = Console(stderr=True)
LINE_EVERY = 60.0
"""Seconds between two progress lines without a terminal."""


class RemainingTime:
    """Estimates how long the rest takes, from the pace since the first report: what came before
    it (loading, detecting, the first and slowest step) is no part of the pace.
    """

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def __call__(self, done: int, total: int | None) -> str:
        """Return ", about 20 s left" after `done` of `total` steps; "" while it is unknown."""
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        start, began = self._first
        if total is None or not start < done < total:
            return ""
        return f", {about((now - began) / (done - start) * (total - done))} left"


def about(seconds: float) -> str:
    """Say a duration roughly: "about 20 s", "about 4 min"."""
    if seconds < 100:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"


class LogHandler(logging.Handler):
    """Prints messages without prefix, above a progress bar (see conf/hydra/job_logging/plain)."""

    def emit(self, record: logging.LogRecord) -> None:
        console.print(self.format(record), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(text: str) -> Iterator[Callable[..., None]]:
    """Show a progress bar; yields a callback (done, total or None, ...), further arguments ignored.

    Without a terminal: a line every LINE_EVERY seconds and one at the end.
    """
    if not console.is_terminal:
        yield _log_lines(text)
        return
    with Progress(
        TextColumn(f"{text:<20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
    ) as bars:
        task = bars.add_task(text, total=None, left="")
        remaining = RemainingTime()

        def on_step(done: int, total: int | None, *_: Any) -> None:
            left = remaining(done, total).removeprefix(", ")
            bars.update(task, completed=done, total=total, left=left)

        yield on_step


def _log_lines(text: str) -> Callable[..., None]:
    last_line, remaining = time.monotonic(), RemainingTime()

    def on_step(done: int, total: int | None, *_: Any) -> None:
        nonlocal last_line
        now, left = time.monotonic(), remaining(done, total)
        if now - last_line < LINE_EVERY and done != total:
            return
        line = f"{text}: {done:,}" if total is None else f"{text}: {done:,} of {total:,}"
        console.print(line + left, markup=False, highlight=False, soft_wrap=True)
        last_line = now

    return on_step


def report_progress(
    items: Iterable[Item], total: int | None, on_frame: OnFrame | None
) -> Iterator[Item]:
    """Yield `items`; call `on_frame` after each one has been processed."""
    for done, item in enumerate(items, 1):
        yield item
        if on_frame is not None:
            on_frame(done, total)
