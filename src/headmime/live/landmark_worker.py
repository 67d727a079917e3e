"""Landmark process: latest camera frame -> 68 landmarks of the tracked face.

A separate process, because dlib holds the GIL while it detects.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import numpy as np

from headmime.errors import HeadmimeError
from headmime.landmarks.faces import Detector, Face, largest
from headmime.live.camera import LatestItem, camera_frames
from headmime.threads import init_worker, limit_child_threads

EXIT_TIMEOUT = 20  # seconds
# Frames between two face detections, which take three times as long as refitting the landmarks.
# If the face is gone, the landmarks depend so strongly on the box that the detector runs at once.
DETECTION_INTERVAL, OVERDUE = 25, 1 << 30


@dataclass(frozen=True)
class FaceObservation:
    """Landmarks [68, 2] in pixels of the frame captured at `taken` (monotonic seconds).

    `pixels` is None without a face. `dropped`: number of frames skipped so far.
    """

    taken: float
    pixels: np.ndarray | None
    dropped: int


class Follower:
    """Tracks the largest face from frame to frame."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._face: Face | None = None
        self._since = 0  # frames since the last face detection

    def __call__(self, image: np.ndarray) -> np.ndarray | None:
        """Return the landmarks [68, 2] of the face in the next frame; None if there is none."""
        face = None
        if self._face is not None:
            unchecked = 0 if self._since + 1 < DETECTION_INTERVAL else OVERDUE
            face = self._detector.follow(image, replace(self._face, unchecked=unchecked))
        if face is None:
            (faces,) = self._detector.detect([image])
            face = largest(faces) if faces else None
        self._face = face
        self._since = self._since + 1 if face is not None and face.unchecked else 0
        return None if face is None else face.pixels


@contextmanager
def observe_faces(
    driving: str, make_detector: Callable[[], Detector]
) -> Iterator[Iterator[FaceObservation]]:
    """Start the landmark process; yields an iterator over the latest observation.

    `driving`: see `camera.camera_frames`; `make_detector` must be picklable. The iterator ends with
    the driving and raises HeadmimeError if that cannot be read.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(driving, make_detector, there), daemon=True)
    with limit_child_threads(1):
        process.start()
    there.close()
    try:
        yield _newest(here)
    finally:
        here.close()
        process.terminate()
        process.join(EXIT_TIMEOUT)


def _newest(connection: Connection) -> Iterator[FaceObservation]:
    skipped, ended = 0, False
    while not ended:
        newest = None
        while newest is None or connection.poll():
            observation = _receive(connection)
            if ended := observation is None:
                break
            skipped += newest is not None
            newest = observation
        if newest is not None:
            yield replace(newest, dropped=newest.dropped + skipped)


def _receive(connection: Connection) -> FaceObservation | None:
    try:
        message = connection.recv()
    except EOFError as error:
        raise HeadmimeError("The landmark process ended unexpectedly.") from error
    if isinstance(message, HeadmimeError):
        raise message
    return message


def _run(driving: str, make_detector: Callable[[], Detector], out: Connection) -> None:
    """Main function of the landmark process."""
    init_worker()
    try:
        follow = Follower(make_detector())
        frames = LatestItem(camera_frames(driving))
        for frame in frames:
            out.send(FaceObservation(frame.taken, follow(frame.image), frames.dropped))
        out.send(None)
    except HeadmimeError as error:
        out.send(HeadmimeError(str(error)))  # a subclass may not be picklable
    except BrokenPipeError:
        pass
