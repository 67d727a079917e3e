"""The process that looks: the newest picture -> the 68 points of the face that is followed.

A process of its own, since dlib lets no other thread of its process run meanwhile.
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

PATIENCE = 20  # seconds for the process to go by itself
# Pictures between two in which the face itself is looked for, which takes three times as long as
# fitting its points again. Where there is no face any more, points depend so much on where exactly
# their box is that the detector looks at once.
SELDOM, LONG_AGO = 25, 1 << 30


@dataclass(frozen=True)
class FaceObservation:
    """What was seen at `taken` (monotonic seconds): points [68, 2] in pixels, None without a face.

    `dropped`: pictures so far that nobody looked at.
    """

    taken: float
    pixels: np.ndarray | None
    dropped: int


@dataclass(frozen=True)
class _Problem:
    sentence: str


class Follower:
    """Follows the largest face from picture to picture."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._face: Face | None = None
        self._since = 0  # pictures, since the face itself was looked for

    def __call__(self, picture: np.ndarray) -> np.ndarray | None:
        """The points [68, 2] of the face in the next picture; None if there is none."""
        face = None
        if self._face is not None:
            unchecked = 0 if self._since + 1 < SELDOM else LONG_AGO
            face = self._detector.follow(picture, replace(self._face, unchecked=unchecked))
        if face is None:
            (faces,) = self._detector.detect([picture])
            face = largest(faces) if faces else None
        self._face = face
        self._since = self._since + 1 if face is not None and face.unchecked else 0
        return None if face is None else face.pixels


@contextmanager
def watch(
    driving: str, make_detector: Callable[[], Detector]
) -> Iterator[Iterator[FaceObservation]]:
    """Start the process; gives the newest sight each time one is asked for, until the driving ends.

    `driving`: see `camera.shots`; `make_detector` can be pickled. Iterating raises HeadmimeError
    for what is wrong with the driving.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_watch, args=(driving, make_detector, there), daemon=True)
    with limit_child_threads(1):
        process.start()
    there.close()
    try:
        yield _newest(here)
    finally:
        here.close()
        process.terminate()
        process.join(PATIENCE)


def _newest(connection: Connection) -> Iterator[FaceObservation]:
    overtaken = 0
    while True:
        sight = _receive(connection)
        while sight is not None and connection.poll():
            later = _receive(connection)
            if later is None:
                yield FaceObservation(sight.taken, sight.pixels, sight.dropped + overtaken)
                return
            sight, overtaken = later, overtaken + 1
        if sight is None:
            return
        yield FaceObservation(sight.taken, sight.pixels, sight.dropped + overtaken)


def _receive(connection: Connection) -> FaceObservation | None:
    try:
        message = connection.recv()
    except EOFError as error:
        raise HeadmimeError("The process that looks has ended unexpectedly.") from error
    if isinstance(message, _Problem):
        raise HeadmimeError(message.sentence)
    return message


def _watch(driving: str, make_detector: Callable[[], Detector], out: Connection) -> None:
    """What the process does."""
    init_worker()
    try:
        follow = Follower(make_detector())
        pictures = LatestItem(camera_frames(driving))
        for shot in pictures:
            out.send(FaceObservation(shot.taken, follow(shot.picture), pictures.dropped))
        out.send(None)
    except HeadmimeError as error:
        out.send(_Problem(str(error)))
    except BrokenPipeError:
        pass
