"""The landmark process."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from headmime.data.media_reader import read_image
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector, Face
from headmime.live.landmark_worker import Follower, observe_faces

FACE = Face(np.ones((68, 2), np.float32), 1.0, (0, 0, 2, 2))


class Fickle:
    """A detector: finds a face where the picture's first pixel is 2, and follows it at 1 or 2."""

    name, batch = "fickle", 1

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        return [[FACE] if frame[0, 0, 0] == 2 else [] for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        return face if frame[0, 0, 0] > 0 else None


def test_a_face_is_followed_until_it_is_lost_and_found_again() -> None:
    follow = Follower(Fickle())
    marks = [1, 2, 1, 0, 1, 2]
    seen = [follow(np.full((4, 4, 3), mark, np.uint8)) is not None for mark in marks]
    assert seen == [False, True, True, False, False, True]


class Lazy(Fickle):
    """Says when it was asked to look for the face itself, as dlib does after five pictures."""

    def __init__(self) -> None:
        self.looked: list[bool] = []

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        self.looked.append(face.unchecked >= 4 or frame[0, 0, 0] == 1)
        return replace(face, unchecked=0 if self.looked[-1] else face.unchecked + 1)


def test_the_face_itself_is_looked_for_once_a_second_or_when_the_detector_wants_to() -> None:
    detector = Lazy()
    follow = Follower(detector)
    for mark in [2] * 31 + [1] + [2] * 30:
        follow(np.full((4, 4, 3), mark, np.uint8))
    assert [k + 1 for k, looked in enumerate(detector.looked) if looked] == [25, 31, 56]


def test_a_face_that_is_gone_is_noticed_at_once(dlib: Detector, mona_lisa: Path) -> None:
    picture = read_image(mona_lisa)[:512, :512]
    follow = Follower(dlib)
    assert all(follow(picture) is not None for _ in range(3))
    assert follow(np.full_like(picture, 90)) is None
    assert follow(picture) is not None


@pytest.mark.slow
def test_observations_of_a_video_and_its_end(nodding: Path) -> None:
    with observe_faces(str(nodding), partial(load_detector, "dlib")) as observations:
        seen = list(observations)
    assert seen and seen[-1].dropped + len(seen) == 30
    taken = [sight.taken for sight in seen]
    assert taken == sorted(taken)
    assert all(sight.pixels is not None and sight.pixels.shape == (68, 2) for sight in seen)


@pytest.mark.slow
def test_what_is_wrong_there_is_said_here(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with (
        observe_faces(str(tmp_path / "text.mp4"), partial(load_detector, "dlib")) as observations,
        pytest.raises(HeadmimeError, match="text.mp4 cannot be read"),
    ):
        list(observations)
