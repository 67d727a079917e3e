"""Pictures at the moment when they are taken: from a webcam, or a file played as one."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep

import cv2
import numpy as np

from headmime.data.media_reader import read_video, read_video_info
from headmime.errors import HeadmimeError

WEBCAM = "webcam"
USUAL_RATE = Fraction(30)  # of webcams that do not say


@dataclass(frozen=True)
class CameraFrame:
    """uint8 RGB [H, W, 3], and when it was taken: seconds of the machine's monotonic clock."""

    picture: np.ndarray
    taken: float


def is_webcam(driving: str) -> bool:
    """Whether `driving` is a camera, "webcam" or its number, and not a file."""
    return driving == WEBCAM or (driving.isdecimal() and not Path(driving).exists())


def frame_rate(driving: str) -> Fraction:
    """Frames a second, as the file or the webcam says. HeadmimeError if it cannot be used."""
    if not is_webcam(driving):
        return read_video_info(Path(driving)).fps
    camera = _open(driving)
    rate = camera.get(cv2.CAP_PROP_FPS)
    camera.release()
    return Fraction(rate).limit_denominator(1001) if 1 <= rate <= 1000 else USUAL_RATE


def camera_frames(driving: str) -> Iterator[CameraFrame]:
    """Pictures as they come; those of a file at its own speed. HeadmimeError if there are none."""
    return _webcam(driving) if is_webcam(driving) else _read_at_own_speed(Path(driving))


def _read_at_own_speed(file: Path) -> Iterator[CameraFrame]:
    """A frame is taken when it is due, however long it took to decode."""
    began = None
    for picture, time in read_video(file):
        began = monotonic() if began is None else began
        due = began + time
        sleep(max(0.0, due - monotonic()))
        yield CameraFrame(picture, due)


def _webcam(driving: str) -> Iterator[CameraFrame]:
    camera = _open(driving)
    try:
        while True:
            there, picture = camera.read()
            if not there:
                return  # unplugged
            yield CameraFrame(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), monotonic())
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
    """The newest of the things that a thread takes from an iterator; older ones are dropped."""

    def __init__(self, source: Iterator[CameraFrame]) -> None:
        self.dropped = 0
        self._source = source
        self._shot: CameraFrame | None = None
        self._error: Exception | None = None
        self._ended = False
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for shot in self._source:
                with self._changed:
                    self.dropped += self._shot is not None
                    self._shot = shot
                    self._changed.notify()
        except Exception as error:  # raised where the shots are asked for
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()

    def __iter__(self) -> Iterator[CameraFrame]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._shot is not None or self._ended)
                shot, self._shot = self._shot, None
            if shot is not None:
                yield shot
            elif self._error is not None:
                raise self._error
            else:
                return
