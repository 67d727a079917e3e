"""What a user names is opened, unless reading it might never end: a pipe, a device."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from headmime.animate.sources import load_sources
from headmime.data.image_reader import read_image
from headmime.data.video_reader import read_video, read_video_info
from headmime.errors import HeadmimeError
from headmime.files import (
    check_writable,
    hold_folder,
    open_file,
    sha256,
    write_atomically,
    write_text,
)
from headmime.landmarks.detect import load_detector
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
        read_image,
        read_video_info,
        lambda path: next(read_video(path)),
        lambda path: load_sources([path], 1, 64, load_detector("dlib")),
        verify,
    ],
)
def test_what_may_never_end_is_one_sentence(read: Callable, endless: Path) -> None:
    with pytest.raises(HeadmimeError, match=rf"cannot be read.*{NO_FILE}") as error:
        read(endless)
    assert str(endless) in str(error.value) and "\n" not in str(error.value)


def test_sha256_is_that_of_fips_180(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("old")
    with write_atomically(path) as partial:
        assert partial.suffix == ".npz" and partial.name.startswith(".")
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    write_text(path, "newer \u20ac")
    assert path.read_text("utf-8") == "newer \u20ac"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_is_not_finished_leaves_everything_as_it_was(tmp_path: Path, error: type) -> None:
    (tmp_path / "file").write_text("old")
    for name in ("file", "folder"):
        with pytest.raises(error), write_atomically(tmp_path / name) as partial:
            if name == "folder":
                partial.mkdir()
                partial /= "inside"
            partial.write_text("half")
            raise error
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_a_folder_holds_what_one_set_of_settings_makes(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for _ in range(2):  # the same settings make it again
        with hold_folder(folder, {"seed": 1, "Ts": [1, 8]}, "study.out"):
            (folder / "table.md").write_text("1")
    with (
        pytest.raises(HeadmimeError, match=r"other settings made \(of seed.*another study\.out="),
        hold_folder(folder, {"seed": 2, "Ts": [1, 8]}, "study.out"),
    ):
        raise AssertionError
    with pytest.raises(ZeroDivisionError), hold_folder(tmp_path / "new", {"seed": 1}, "study.out"):
        raise ZeroDivisionError
    with hold_folder(tmp_path / "new", {"seed": 2}, "study.out"):  # nothing was made there
        pass


def test_a_folder_is_held_by_one_process(tmp_path: Path) -> None:
    with (
        hold_folder(tmp_path, {}, "study.out"),
        pytest.raises(HeadmimeError, match="Another process is writing"),
        hold_folder(tmp_path, {}, "study.out"),
    ):
        raise AssertionError


@pytest.mark.parametrize("link", ["other name", "hard link", "soft link"])
def test_an_input_is_no_output(tmp_path: Path, link: str) -> None:
    mine, out = tmp_path / "mine", tmp_path / "out"
    mine.write_bytes(b"original")
    if link == "other name":
        out = tmp_path / "folder" / ".." / "mine"
        (tmp_path / "folder").mkdir()
    else:
        (os.link if link == "hard link" else os.symlink)(mine, out)
    with pytest.raises(HeadmimeError, match=r"csv=.* is the input .*mine"):
        check_writable(out, [tmp_path / "nothing", mine], "csv")
    assert mine.read_bytes() == b"original"


def test_a_disk_that_will_be_too_small_is_told_before(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(HeadmimeError, match=r"will have about [\d,.]+ MB, and its disk has"):
        check_writable(tmp_path / "a.mp4", needed=free + 10**12)
    check_writable(tmp_path / "a.mp4", needed=1000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "a.mp4"),
        (OSError(errno.ENOSPC, "No space left on device", ".partial"), "a.mp4"),
        # the same with a file name that cannot be set
        (av.error.OSError(errno.ENOSPC, "No space left on device"), "a.mp4"),
        (OSError(errno.EIO, "Input/output error"), None),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "face.jpg"), "face.jpg"),
    ],
)
def test_an_error_of_writing_names_the_file(
    tmp_path: Path, error: OSError, named: str | None
) -> None:
    with pytest.raises(OSError) as caught, write_atomically(tmp_path / "a.mp4") as partial:
        if error.filename == ".partial":
            error.filename = str(partial)
        raise error
    assert (caught.value.filename and Path(caught.value.filename).name) == named


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # /dev/null stays as it is if this test fails
    with pytest.raises(HeadmimeError, match=r"pipe\.png cannot .* no regular file"):
        check_writable(tmp_path / "pipe.png")
