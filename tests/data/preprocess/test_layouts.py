"""What is found in a data set of each layout, what is refused, and who is in which split."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from headmime.assets import conf_folder
from headmime.data.preprocess.clips import ClipSettings, read_source
from headmime.data.preprocess.layouts import (
    Listing,
    Refusal,
    Source,
    assign_splits,
    list_sources,
    make_listing,
)
from headmime.errors import HeadmimeError


def person(name: str, **changes) -> Source:
    values = {"person": name, "video": "v", "clip": "c", "file": f"{name}.mp4", "bytes": 1}
    return Source(**{**values, **changes})


def test_sources_are_sorted_by_person_video_and_clip_as_bytes():
    names = ["b", "a", "\xe9", "\udce9", "Z"]
    found = [person(name) for name in names]
    orders = []
    for seed in range(5):
        random.Random(seed).shuffle(found)
        refused = [Refusal("y", "no face", (2.0, 3.0)), Refusal("y", "no face", (0.0, 1.0))]
        listed = make_listing(found, refused)
        orders.append([source.person for source in listed.sources])
        assert listed.refused[0].seconds == (0.0, 1.0)
    assert orders == [["Z", "a", "b", "\xe9", "\udce9"]] * 5


def test_a_person_is_in_one_split_whoever_else_is_there():
    people = [person(f"id{n:05d}", video=v) for n in range(2000) for v in "xy"]
    split = {s.person: s.split for s in assign_splits(Listing(people, []), 0.1, None, 0).sources}
    assert 150 < sum(one == "test" for one in split.values()) < 250
    alone = assign_splits(Listing(people[40:42], []), 0.1, None, 0).sources
    assert {source.split for source in alone} == {split[alone[0].person]}
    other = {s.person: s.split for s in assign_splits(Listing(people, []), 0.1, None, 1).sources}
    assert split != other


def test_test_persons_can_be_named_and_a_data_sets_own_split_stays():
    people = [person("anna"), person("ben"), person("cleo", split="test")]
    named = assign_splits(Listing(people, []), 1.0, ["ben"], 0).sources
    assert [source.split for source in named] == ["train", "test", "test"]
    nobody, everybody = (assign_splits(Listing(people, []), share, None, 0) for share in (0, 1))
    assert [source.split for source in nobody.sources] == ["train", "train", "test"]
    assert {source.split for source in everybody.sources} == {"test"}


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
        "mp4/id1/x.mp4": "is not at mp4/<person>/<youtube id>/<clip>.mp4",
        "mp4/id1/x/z/1.mp4": "is not at mp4/<person>/<youtube id>/<clip>.mp4",
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


def pattern(data: str) -> str:
    return yaml.safe_load((conf_folder() / "data" / f"{data}.yaml").read_text())["pattern"]


def test_hdtf_by_the_names_of_its_speakers(tmp_path: Path):
    """A speaker's numbered videos are one person's; radio hosts have no names."""
    touch(tmp_path, "WDA_AnnLee0_000.mp4", "WDA_AnnLee1_000.mp4", "WDA_AnnLee1_001.mp4")
    touch(tmp_path, "sub/WRA_BenFox_000.mp4", "RD_Radio1_000.mp4", "RD_Radio10_000.mp4")
    touch(tmp_path, "_videos_raw/WDA_AnnLee0.mp4", "_videos_raw/WDA_AnnLee0_download_log.txt")
    listed = list_sources("named", tmp_path, pattern=pattern("hdtf"))
    assert [key[:3] for key in keys(listed)] == [
        ("AnnLee", "WDA_AnnLee0", "000"),
        ("AnnLee", "WDA_AnnLee1", "000"),
        ("AnnLee", "WDA_AnnLee1", "001"),
        ("BenFox", "WRA_BenFox", "000"),
        ("RD_Radio1", "RD_Radio1", "000"),
        ("RD_Radio10", "RD_Radio10", "000"),
    ]
    assert set(reasons(listed).values()) == {"is not named as this data set's clips are"}
    assert len(listed.refused) == 2


def test_celebvhq_by_its_youtube_videos(tmp_path: Path):
    touch(tmp_path, "processed/a-_b5678901_0.mp4", "processed/a-_b5678901_12.mp4")
    touch(tmp_path, "raw/a-_b5678901.mp4", "celebvhq_info.json")
    listed = list_sources("named", tmp_path, pattern=pattern("celebvhq"))
    assert [key[:3] for key in keys(listed)] == [
        ("a-_b5678901", "a-_b5678901", "0"),
        ("a-_b5678901", "a-_b5678901", "12"),
    ]
    assert reasons(listed).keys() == {"raw/a-_b5678901.mp4", "celebvhq_info.json"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("(?P<video>", "is no regular expression"),
        ("(?P<video>.*)", "should name"),
        (r"(?P<video>\d+)_(?P<clip>\d+).mkv", "has no file that is named"),
    ],
)
def test_rules_for_names_that_cannot_be_used(tmp_path: Path, rule: str, said: str):
    touch(tmp_path, "1_1.mp4")
    with pytest.raises(HeadmimeError, match=said):
        list_sources("named", tmp_path, pattern=rule)


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
        "a/loop": "is a link to a parent folder",
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
        ("lrs3", "data=lrs3 is not known; choose one of voxceleb1, voxceleb2, folder"),
    ],
)
def test_what_does_not_lie_as_it_should(tmp_path: Path, layout: str, words: str):
    with pytest.raises(HeadmimeError, match=words):
        list_sources(layout, tmp_path)
    with pytest.raises(HeadmimeError, match="is not a folder"):
        list_sources(layout, tmp_path / "nowhere")


CLIPS = """\
file\tidentity\torigin\tsplit
clips/b.mp4\tben\tsomewhere\treport
clips/a1.mp4\tanna\t"quoted\treport
clips/a2.mp4\tanna\tsomewhere\treport
clips/c.mp4\tcleo\tsomewhere\ttune
clips/gone.mp4\tdora\tsomewhere\ttune
"""
PORTRAITS = "file\tidentity\tsplit\nportraits/e.png\temma\treport\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Both tables, and all files but one."""
    (tmp_path / "clips.tsv").write_text(CLIPS)
    (tmp_path / "portraits.tsv").write_text(PORTRAITS)
    for name in ("clips/a1.mp4", "clips/a2.mp4", "clips/b.mp4", "clips/c.mp4", "portraits/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    return tmp_path


def test_the_rows_of_a_split_are_sources_and_missing_files_are_refused(root: Path):
    listed = list_sources("listed", root, "report")
    assert [(one.person, one.video, one.clip) for one in listed.sources] == [
        ("anna", "clips/a1.mp4", "a1"),
        ("anna", "clips/a2.mp4", "a2"),
        ("ben", "clips/b.mp4", "b"),
        ("emma", "portraits/e.png", "e"),
    ]
    assert all(one.file == one.video and one.bytes == 5 for one in listed.sources)
    assert all(one.split is None for one in listed.sources) and listed.refused == []
    everything = list_sources("listed", root)
    assert [one.person for one in everything.sources] == ["anna", "anna", "ben", "cleo", "emma"]
    (refused,) = everything.refused
    assert refused.file == "clips/gone.mp4" and "No such file" in refused.reason


def test_portraits_are_not_needed_and_a_file_is_taken_once(root: Path):
    (root / "portraits.tsv").unlink()
    (root / "clips.tsv").write_text(CLIPS + "clips/b.mp4\tben\tagain\treport\n")
    listed = list_sources("listed", root, "report")
    assert [one.person for one in listed.sources] == ["anna", "anna", "ben"]
    assert [one.reason for one in listed.refused] == ["is listed twice"]


@pytest.mark.parametrize(
    ("table", "split", "sentence"),
    [
        (None, None, "has no clips.tsv: it should be a table with the columns file, identity"),
        (CLIPS, "test", "data.split=test is in no row of .* they have report, tune"),
        ("file,identity,split\na,b,c\n", None, "Line 2 of .* has no file, identity, split"),
        (CLIPS + "x.mp4\tanna\n", None, "Line 7 of .* has no split"),
        (CLIPS + "x.mp4\tanna\t\ttune\n", None, "anna in two splits, report and tune"),
    ],
)
def test_tables_that_cannot_be_used(
    root: Path, table: str | None, split: str | None, sentence: str
):
    (root / "portraits.tsv").unlink()
    (root / "clips.tsv").unlink()
    if table is not None:
        (root / "clips.tsv").write_text(table)
    with pytest.raises(HeadmimeError, match=sentence):
        list_sources("listed", root, split)


def test_other_layouts_have_no_rows_to_choose(root: Path):
    with pytest.raises(HeadmimeError, match="data.split=tune chooses rows of data=listed"):
        list_sources("folder", root, "tune")


def test_a_single_image_is_a_clip_of_one_frame(
    tmp_path: Path, films, squares, clip_settings: ClipSettings, source: Callable
):
    cv2.imwrite(str(tmp_path / "e.png"), films.image((20, 30, 32)))
    (clip,) = read_source(tmp_path, source("e.png"), clip_settings, squares)
    (frame,) = clip.frames
    assert frame.shape == (32, 32, 3) and clip.landmarks.shape == (1, 68, 2)
    x, y = (clip.landmarks[0].mean(0) * 32).astype(int)
    assert frame[y, x].min() > 200
    np.testing.assert_array_equal(clip.times, [0])


@pytest.mark.parametrize("people", [0, 2])
def test_an_image_of_nobody_or_of_two_is_refused(
    people: int, tmp_path: Path, films, squares, clip_settings: ClipSettings, source: Callable
):
    both = [(4, 30, 32), (56, 30, 32)][:people]
    cv2.imwrite(str(tmp_path / "e.png"), films.image(*both))
    reading = read_source(tmp_path, source("e.png"), clip_settings, squares)
    with pytest.raises(StopIteration) as stop:
        next(reading)
    (refused,) = stop.value.value.refused
    assert refused.reason == {0: "no face", 2: "two people"}[people]
