"""Write frames of irregular timing as a video of constant rate, in a background thread."""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np

from headmime.animate.media_writer import output_path, write_media
from headmime.provenance.statement import ProvenanceOptions, ProvenanceStatement

QUEUE_SIZE = 64  # frames; further ones are dropped


class LiveVideoWriter:
    """Context manager that writes a video in a thread of its own, so that encoding delays no frame.

    The file appears on exit, unless an exception is raised.
    """

    def __init__(
        self,
        path: str | Path,
        fps: Fraction,
        statement: ProvenanceStatement,
        marks: ProvenanceOptions,
    ) -> None:
        self.path = output_path(path)
        self._fps, self._statement, self._marks = fps, statement, marks
        self._first: float | None = None
        self._queue: queue.Queue[tuple[int, np.ndarray] | type[_End]] = queue.Queue(QUEUE_SIZE)
        self._error: Exception | None = None
        self._over = False
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> "LiveVideoWriter":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._queue.put(_Finished if kind is None else _Abandoned)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def add(self, frame: np.ndarray, taken: float) -> bool:
        """Add a frame with capture time `taken` in seconds, shown until the next one. Never blocks.

        Returns False if writing failed and further frames are discarded.
        """
        self._first = taken if self._first is None else self._first
        place = round((taken - self._first) * self._fps)
        with suppress(queue.Full):
            self._queue.put_nowait((place, frame))
        return self._error is None

    def _write(self) -> None:
        try:
            write_media(self.path, self._constant_rate(), self._fps, self._statement, self._marks)
        except _Abandoned:
            pass
        except Exception as error:  # raised again by __exit__
            self._error = error
            while not self._over:  # drain the queue: __exit__ must not block
                self._next_item()

    def _constant_rate(self) -> Iterator[np.ndarray]:
        last, written = None, 0
        while isinstance(item := self._next_item(), tuple):
            place, frame = item
            while last is not None and written < place:
                yield last
                written += 1
            last = frame
        if item is _Abandoned:
            raise _Abandoned
        if last is not None:
            yield last

    def _next_item(self) -> "tuple[int, np.ndarray] | type[_End]":
        item = self._queue.get()
        self._over = not isinstance(item, tuple)
        return item


class _End(Exception):
    """Marks the end of the queue."""


class _Finished(_End):
    """Complete the file."""


class _Abandoned(_End):
    """Discard the file."""
