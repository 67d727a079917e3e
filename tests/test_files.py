"""What a user names is opened, unless reading it might never end: a pipe, a device."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from headmime.animate.sources import load_sources
from headmime.data.pictures import read_picture
from headmime.data.video import read_video, video_info
from headmime.errors import HeadmimeError
from headmime.files import open_file
from headmime.landmarks.detect import detector
from headmime.provenance.verdict import verify

NO_FILE = "a pipe or a device, not a file"


@pytest.fixture(params=["pipe", "pipe.jpg", "pipe.mp4", "/dev/zero"])
def endless(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A pipe into which nobody writes, and a device that never ends."""
    path = tmp_path / request.param
    if not path.exists():
        os.mkfifo(path)
    return path


def test_a_file_is_opened_also_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to("a")
    for name in "ab":
        with open_file(tmp_path / name) as file:
            assert file.read() == b"content"


def test_errors_are_those_of_open(tmp_path: Path, endless: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)
    with pytest.raises(OSError, match=NO_FILE):
        open_file(endless)


@pytest.mark.parametrize(
    "read",
    [
        read_picture,
        video_info,
        lambda path: next(read_video(path)),
        lambda path: load_sources([path], 1, 64, detector("dlib")),
        verify,
    ],
)
def test_what_may_never_end_is_one_sentence(read: Callable, endless: Path) -> None:
    with pytest.raises(HeadmimeError, match=rf"cannot be read.*{NO_FILE}") as error:
        read(endless)
    assert str(endless) in str(error.value) and "\n" not in str(error.value)
