"""Progress of jobs, with the remaining time, and their queue."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from headmime.progress import about

OnProgress = Callable[[float, str], object]
"""Called with (completed share, a sentence)."""

WARM_UP, ENOUGH = 2, 8  # steps: not timed; timed before the mean replaces the expected pace


class JobStopped(Exception):
    """The user pressed Stop or closed the page."""


class Progress:
    """Progress callbacks for the API; they raise JobStopped once `stop` is set.

    `paces`: expected seconds of a step, by its name; replaced by what is measured. `left`: seconds
    to the end of the job, None if unknown.
    """

    def __init__(
        self,
        on_progress: OnProgress,
        stop: threading.Event,
        paces: dict[str, float] | None = None,
        left: float | None = None,
    ) -> None:
        self._on_progress, self.stop, self.left = on_progress, stop, left
        self.paces = {} if paces is None else paces

    def start(self, text: str) -> None:
        """Report the start of a step of unknown length."""
        if self.stop.is_set():
            raise JobStopped
        self._on_progress(0.0, text)

    def counter(self, text: str, name: str, afterwards: float = 0.0) -> Callable[..., None]:
        """Return a callback for (done, total or None, ...) that reports the time that is left.

        `name`: of the pace; `afterwards`: expected seconds of the job's later steps.
        """
        warm, expected = (0, monotonic()), self.paces.get(name)

        def on_step(done: int, total: int | None, *_: Any) -> None:
            nonlocal warm
            if total is None:
                self.start(f"{text}: {done}")
                return
            if done <= WARM_UP:
                warm = (done, monotonic())
            elif done - warm[0] >= ENOUGH or (done >= total and name not in self.paces):
                self.paces[name] = (monotonic() - warm[1]) / (done - warm[0])
            if pace := self.paces.get(name):
                slower = pace / expected if expected else 1.0  # the later steps will be so too
                self.left = max(0, total - done) * pace + afterwards * slower
            if self.stop.is_set():
                raise JobStopped
            left = "" if not self.left else f", {about(self.left)} left"
            self._on_progress(min(done / total, 1), f"{text}: {done} of {max(done, total)}{left}")

        return on_step


class Queue:
    """Jobs in order of arrival, one at a time."""

    def __init__(self) -> None:
        self._jobs: list[Progress] = []
        self._changed = threading.Condition()

    def ahead(self, progress: Progress | None = None) -> list[Progress]:
        """Jobs before that of `progress`; None: all."""
        with self._changed:
            jobs = list(self._jobs)
        return jobs if progress is None else jobs[: jobs.index(progress)]

    @contextmanager
    def turn(self, progress: Progress) -> Iterator[None]:
        """Wait, with the expected time, until the jobs ahead have ended. JobStopped as above."""
        with self._changed:
            self._jobs.append(progress)
        try:
            while ahead := self.ahead(progress):
                progress.start(waiting(ahead))
                with self._changed:
                    self._changed.wait(0.5)
            yield
        finally:
            with self._changed:
                self._jobs.remove(progress)
                self._changed.notify_all()


def waiting(ahead: list[Progress]) -> str:
    """Say how many jobs are ahead, and how long they take."""
    known = [job.left for job in ahead if job.left is not None]
    wait = f", {about(sum(known))}" if len(known) == len(ahead) else ""
    return f"Waiting for {len(ahead)} job{'s' * (len(ahead) > 1)} ahead{wait}"


def times(seconds: float | None, ahead: list[Progress]) -> str:
    """Say how long a job and those ahead of it take; "" if that is unknown."""
    known = [] if seconds is None else [about(seconds)]
    return "".join(f"{text.capitalize()}. " for text in known + [waiting(ahead)] * bool(ahead))
