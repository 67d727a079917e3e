"""Data sets as they lie on disk, strange things among them."""

import os
from pathlib import Path

import pytest

from headmime.data.preprocess.layouts import list_sources
from headmime.data.preprocess.sources import Listing
from headmime.errors import HeadmimeError


def touch(root: Path, *files: str | bytes) -> None:
    for file in files:
        path = root / os.fsdecode(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")


def keys(listed: Listing) -> list[tuple]:
    return [(s.person, s.video, s.clip, s.file, s.split) for s in listed.sources]


def reasons(listed: Listing) -> dict[str, str]:
    return {one.file: one.reason for one in listed.refused}


def test_voxceleb2(tmp_path: Path):
    touch(tmp_path, "mp4/id2/y/00002.mp4", "mp4/id1/y/00001.mp4", "mp4/id1/x/00009.mp4")
    touch(tmp_path, "mp4/id1/x.mp4", "mp4/id1/x/00001.txt", "mp4/id1/x/z/1.mp4", "aac/id1/x/1.m4a")
    listed = list_sources("voxceleb2", tmp_path)
    assert keys(listed) == [
        ("id1", "x", "00009", "mp4/id1/x/00009.mp4", None),
        ("id1", "y", "00001", "mp4/id1/y/00001.mp4", None),
        ("id2", "y", "00002", "mp4/id2/y/00002.mp4", None),
    ]
    assert listed.sources[0].bytes == 5
    assert reasons(listed) == {
        "mp4/id1/x.mp4": "does not lie at mp4/<person>/<youtube id>/<clip>.mp4",
        "mp4/id1/x/z/1.mp4": "does not lie at mp4/<person>/<youtube id>/<clip>.mp4",
        "mp4/id1/x/00001.txt": "is not named <clip>.mp4",
    }


@pytest.mark.parametrize("layout", ["voxceleb1", "voxceleb2"])
def test_dev_and_test_folders_are_the_splits(tmp_path: Path, layout: str):
    touch(tmp_path, "dev/mp4/id1/x/1.mp4", "test/mp4/id2/x/1.mp4")
    assert [(key[0], key[4]) for key in keys(list_sources(layout, tmp_path))] == [
        ("id1", "train"),
        ("id2", "test"),
    ]


def test_the_faces_of_voxceleb1(tmp_path: Path):
    root = tmp_path / "unzippedFaces"
    touch(root, "Ann_B/1.6/yt1/0000025.jpg", "Ann_B/1.6/yt1/0000050.jpg", "Ann_B/1.6/yt2/1/01.jpg")
    touch(root, "Ann_B/notes.txt", "Ann_B/1.6/yt1/notes.txt")
    listed = list_sources("voxceleb1", tmp_path)
    assert keys(listed) == [
        ("Ann_B", "yt1", "faces", "unzippedFaces/Ann_B/1.6/yt1", None),
        ("Ann_B", "yt2", "1", "unzippedFaces/Ann_B/1.6/yt2/1", None),
    ]
    assert listed.sources[0].bytes == 10 and len(listed.refused) == 2
    assert [key[:3] for key in keys(list_sources("voxceleb1", root))] == [
        key[:3] for key in keys(listed)
    ]


def test_a_folder(tmp_path: Path):
    touch(tmp_path, "alone.mp4", "ben/x.MOV", "ben/film/x.webm", "ben/notes.txt", "noname")
    listed = list_sources("folder", tmp_path)
    assert [key[:3] for key in keys(listed)] == [
        ("alone", "alone.mp4", "alone"),
        ("ben", "x.MOV", "x"),
        ("ben/film", "x.webm", "x"),
    ]
    assert set(reasons(listed).values()) == {"is not named like a video"}


def test_strange_things_are_named_and_the_rest_is_found(tmp_path: Path):
    touch(tmp_path, "a/1.mp4", b"a/caf\xe9.mp4", "a/new\nline, [x]=1.mp4", "folder.mp4/2.mp4")
    (tmp_path / "empty.mp4").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "nowhere.mp4").symlink_to("missing")
    (tmp_path / "link.mp4").symlink_to("a/1.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    listed = list_sources("folder", tmp_path)
    assert {key[3] for key in keys(listed)} == {
        "a/1.mp4",
        "a/caf\udce9.mp4",
        "a/new\nline, [x]=1.mp4",
        "folder.mp4/2.mp4",
        "link.mp4",
    }
    assert reasons(listed) == {
        "a/loop": "is a link to a folder that it lies in",
        "self": "cannot be opened (Too many levels of symbolic links)",
        "nowhere.mp4": "cannot be opened (No such file or directory)",
        "empty.mp4": "is an empty folder",
        "pipe.mp4": "is neither a file nor a folder",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_locked_folder_is_refused(tmp_path: Path):
    touch(tmp_path, "a/1.mp4", "b/1.mp4")
    (tmp_path / "b").chmod(0)
    assert "Permission denied" in reasons(list_sources("folder", tmp_path))["b"]
    (tmp_path / "b").chmod(0o700)


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("voxceleb2", "has no mp4/<person>"),
        ("voxceleb1", "has neither mp4/<person>"),
        ("lrs3", "there is only voxceleb1, voxceleb2, folder"),
    ],
)
def test_what_does_not_lie_as_it_should(tmp_path: Path, layout: str, words: str):
    with pytest.raises(HeadmimeError, match=words):
        list_sources(layout, tmp_path)
    with pytest.raises(HeadmimeError, match="is not a folder"):
        list_sources(layout, tmp_path / "nowhere")
