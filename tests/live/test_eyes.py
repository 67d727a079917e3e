"""The process that looks."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from headmime.errors import HeadmimeError
from headmime.landmarks.detect import Face, detector
from headmime.live.eyes import Follower, watching

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


@pytest.mark.slow
def test_sights_of_a_film_and_its_end(nodding: Path) -> None:
    with watching(str(nodding), partial(detector, "dlib")) as sights:
        seen = list(sights)
    assert seen and seen[-1].dropped + len(seen) == 30
    taken = [sight.taken for sight in seen]
    assert taken == sorted(taken)
    assert all(sight.pixels is not None and sight.pixels.shape == (68, 2) for sight in seen)


@pytest.mark.slow
def test_what_is_wrong_there_is_said_here(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with (
        watching(str(tmp_path / "text.mp4"), partial(detector, "dlib")) as sights,
        pytest.raises(HeadmimeError, match="text.mp4 cannot be read"),
    ):
        list(sights)
