"""Camera frames in real time: from a webcam, or a video file played at its own speed."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep

import cv2
import numpy as np

from headmime.data.video_reader import read_video, read_video_info
from headmime.errors import HeadmimeError

WEBCAM = "webcam"
DEFAULT_RATE = Fraction(30)  # frames/s of webcams that report none
LATEST = 0.5  # seconds after which a file's frame was due


@dataclass(frozen=True)
class CameraFrame:
    """uint8 RGB [H, W, 3], and its capture time in seconds of the monotonic clock."""

    image: np.ndarray
    taken: float


def is_webcam(driving: str) -> bool:
    """Return whether `driving` is "webcam" or a camera's number, and not a file."""
    return driving == WEBCAM or (driving.isdecimal() and not Path(driving).exists())


def frame_rate(driving: str) -> Fraction:
    """Frames/s reported by the file or the webcam. HeadmimeError if it cannot be opened."""
    if not is_webcam(driving):
        return read_video_info(Path(driving)).fps
    camera = _open(driving)
    rate = camera.get(cv2.CAP_PROP_FPS)
    camera.release()
    return Fraction(rate).limit_denominator(1001) if 1 <= rate <= 1000 else DEFAULT_RATE


def camera_frames(driving: str) -> Iterator[CameraFrame]:
    """Yield frames in real time; a file plays at its own speed. HeadmimeError if unreadable."""
    return _webcam(driving) if is_webcam(driving) else _read_at_own_speed(Path(driving))


def _read_at_own_speed(file: Path) -> Iterator[CameraFrame]:
    """Yield frames when they are due; `taken` excludes decoding time.

    A file that is decoded more slowly than it plays, plays more slowly, or it would lag ever more.
    """
    began = None
    for image, time in read_video(file):
        now = monotonic()
        began = now if began is None else max(began, now - time - LATEST)
        due = began + time
        sleep(max(0.0, due - monotonic()))
        yield CameraFrame(image, due)


def _webcam(driving: str) -> Iterator[CameraFrame]:
    camera = _open(driving)
    try:
        while True:
            available, image = camera.read()
            if not available:
                return  # unplugged
            yield CameraFrame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), monotonic())
    finally:
        camera.release()


def _open(driving: str) -> cv2.VideoCapture:
    number = 0 if driving == WEBCAM else int(driving)
    camera = cv2.VideoCapture(number)
    if not camera.isOpened():
        raise HeadmimeError(
            f"driving={driving}: there is no such camera, or another program uses it; give "
            "another number (driving=1) or a video file."
        )
    camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return camera


class LatestItem:
    """Iterator over the latest item that a thread reads from `source`; older ones are dropped."""

    def __init__(self, source: Iterator[CameraFrame]) -> None:
        self.dropped = 0
        self._source = source
        self._latest: CameraFrame | None = None
        self._error: Exception | None = None
        self._ended = False
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for frame in self._source:
                with self._changed:
                    self.dropped += self._latest is not None
                    self._latest = frame
                    self._changed.notify()
        except Exception as error:  # raised again by __iter__
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()

    def __iter__(self) -> Iterator[CameraFrame]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._latest is not None or self._ended)
                frame, self._latest = self._latest, None
            if frame is not None:
                yield frame
            elif self._error is not None:
                raise self._error
            else:
                return
