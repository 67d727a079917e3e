"""What a person sees while a verb works: log lines and progress bars on one console (stderr)."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console(stderr=True)


class LogHandler(logging.Handler):
    """Plain sentences, above a progress bar if there is one (see conf/hydra/job_logging/plain)."""

    def emit(self, record: logging.LogRecord) -> None:
        console.print(self.format(record), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(text: str) -> Iterator[Callable[..., None]]:
    """A bar, as a callback that takes (done, in all or None) and whatever else comes with them."""
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
