"""Write frames of irregular timing as a video of constant rate, in a background thread."""

import queue
import threading
from collections.abc import Iterator
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
        self._queue: queue.SimpleQueue[tuple[int, np.ndarray] | None] = queue.SimpleQueue()
        self._abandoned = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> "LiveVideoWriter":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._abandoned = kind is not None
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def add(self, frame: np.ndarray, taken: float) -> bool:
        """Add a frame with capture time `taken` in seconds, shown until the next one. Never blocks.

        Returns False if writing failed and further frames are discarded.
        """
        self._first = taken if self._first is None else self._first
        place = round((taken - self._first) * self._fps)
        if self._queue.qsize() < QUEUE_SIZE:
            self._queue.put((place, frame))
        return self._error is None

    def _write(self) -> None:
        try:
            write_media(self.path, self._constant_rate(), self._fps, self._statement, self._marks)
        except Exception as error:  # raised again by __exit__, unless it is an abandoned video's
            self._error = error

    def _constant_rate(self) -> Iterator[np.ndarray]:
        last, written = None, 0
        for place, frame in iter(self._queue.get, None):
            while last is not None and written < place:
                yield last
                written += 1
            last = frame
        if self._abandoned:
            raise InterruptedError("the video is abandoned")
        if last is not None:
            yield last
