"""Log lines and progress bars on one console (stderr)."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
OnFrame = Callable[[int, int | None], None]
"""Called with (frames done, total number of frames or None)."""

console = Console(stderr=True)
LINE_EVERY = 60.0
"""Seconds between two progress lines without a terminal."""


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
        TimeRemainingColumn(),
        console=console,
    ) as bars:
        task = bars.add_task(text, total=None)

        def on_step(done: int, total: int | None, *_: Any) -> None:
            bars.update(task, completed=done, total=total)

        yield on_step


def _log_lines(text: str) -> Callable[..., None]:
    first: int | None = None
    start = last_line = time.monotonic()

    def on_step(done: int, total: int | None, *_: Any) -> None:
        nonlocal first, last_line
        first, now = done if first is None else first, time.monotonic()
        if now - last_line < LINE_EVERY and done != total:
            return
        line = f"{text}: {done:,}" if total is None else f"{text}: {done:,} of {total:,}"
        if total is not None and first < done < total:
            seconds = (now - start) / (done - first) * (total - done)
            line += f", about {math.ceil(seconds / 60)} min left"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
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
