"""A file played as a camera; the newest picture, and no other."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from headmime.errors import HeadmimeError
from headmime.live import camera
from headmime.live.camera import CameraFrame, LatestItem, camera_frames, frame_rate, is_webcam

GREY = np.full((16, 16, 3), 90, np.uint8)


def test_what_is_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_webcam("webcam") and is_webcam("1")
    assert not is_webcam("film.mp4")
    (tmp_path / "1").touch()
    assert not is_webcam("1")  # a file by that name


def test_a_camera_that_is_not_there_is_said() -> None:
    with pytest.raises(HeadmimeError, match="no such camera"):
        frame_rate("98")


def test_a_file_is_played_at_its_own_speed(write_video: Callable[..., Path]) -> None:
    file = write_video([GREY] * 4, 20)
    assert frame_rate(str(file)) == 20
    taken = [shot.taken for shot in camera_frames(str(file))]
    assert np.allclose(np.diff(taken), 0.05, atol=1e-6)  # when they are due, however busy


def test_a_file_that_is_decoded_too_slowly_does_not_lag_ever_more(
    write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fake clock: each of 30 frames takes a second to decode, and is due every 20th of one."""
    clock = [100.0]
    monkeypatch.setattr(camera, "monotonic", lambda: clock[0])
    monkeypatch.setattr(camera, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    lags = []
    for shot in camera_frames(str(write_video([GREY] * 30, 20))):
        lags.append(clock[0] - shot.taken)
        clock[0] += 1.0
    assert lags[0] == 0 and max(lags) == pytest.approx(camera.LATEST)


def test_only_the_newest_is_given_and_others_are_counted() -> None:
    """The reader is let go on only when the test says so."""
    allowed, given = threading.Semaphore(0), threading.Semaphore(0)

    def source() -> Iterator[CameraFrame]:
        for number in range(5):
            allowed.acquire()
            yield CameraFrame(GREY, float(number))
            given.release()  # asked for the next one: this one was put in its place

    newest = LatestItem(source())
    pictures = iter(newest)
    for _ in range(3):
        allowed.release()
        given.acquire()
    assert next(pictures).taken == 2.0 and newest.dropped == 2
    allowed.release(2)
    assert [shot.taken for shot in pictures][-1] == 4.0


def test_what_goes_wrong_is_raised_where_pictures_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(HeadmimeError, match="text.mp4"):
        list(LatestItem(camera_frames(str(tmp_path / "text.mp4"))))
