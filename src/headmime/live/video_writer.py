"""Frames that come when they can -> a video of even rate, written beside the work."""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np

from headmime.animate.media_writer import output_path, write_media
from headmime.provenance.statement import ProvenanceOptions, ProvenanceStatement

WAITING = 64  # frames; with more the writer is too slow, and frames are left out


class LiveVideoWriter:
    """A file that is written by a thread of its own while frames are added.

    A context: the file appears when it is left, unless by an exception. Its making runs beside the
    work, so that it delays no frame.
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
        self._queue: queue.Queue[tuple[int, np.ndarray] | type[_End]] = queue.Queue(WAITING)
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
        """A frame of the moment `taken`, in seconds; it lasts until the next one. Never waits.

        False if something went wrong with the file, and no more frames are of use.
        """
        self._first = taken if self._first is None else self._first
        place = round((taken - self._first) * self._fps)
        with suppress(queue.Full):
            self._queue.put_nowait((place, frame))
        return self._error is None

    def _write(self) -> None:
        try:
            write_media(self.path, self._even(), self._fps, self._statement, self._marks)
        except _Abandoned:
            pass
        except Exception as error:  # raised where the frames come from
            self._error = error
            while not self._over:  # nobody shall wait for room
                self._taken()

    def _even(self) -> Iterator[np.ndarray]:
        last, written = None, 0
        while isinstance(item := self._taken(), tuple):
            place, frame = item
            while last is not None and written < place:
                yield last
                written += 1
            last = frame
        if item is _Abandoned:
            raise _Abandoned
        if last is not None:
            yield last

    def _taken(self) -> "tuple[int, np.ndarray] | type[_End]":
        item = self._queue.get()
        self._over = not isinstance(item, tuple)
        return item


class _End(Exception):
    """What comes after the last frame."""


class _Finished(_End):
    """The file is whole."""


class _Abandoned(_End):
    """Nobody wants the file any more."""
