"""Tables that say who is in which file."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from headmime.data.preprocess.clips import Recipe, read_source
from headmime.data.preprocess.layouts import list_sources
from headmime.errors import HeadmimeError

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
    assert [one.reason for one in listed.refused] == ["stands in the tables twice"]


@pytest.mark.parametrize(
    ("table", "split", "sentence"),
    [
        (None, None, "has no clips.tsv: it should be a table with the columns file, identity"),
        (CLIPS, "test", "data.split=test is in no row of .* there is report, tune"),
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


def test_a_single_picture_is_a_clip_of_one_frame(
    tmp_path: Path, films, squares, recipe: Recipe, source: Callable
):
    cv2.imwrite(str(tmp_path / "e.png"), films.picture((20, 30, 32)))
    (clip,) = read_source(tmp_path, source("e.png"), recipe, squares)
    (frame,) = clip.frames
    assert frame.shape == (32, 32, 3) and clip.landmarks.shape == (1, 68, 2)
    x, y = (clip.landmarks[0].mean(0) * 32).astype(int)
    assert frame[y, x].min() > 200
    np.testing.assert_array_equal(clip.times, [0])


@pytest.mark.parametrize("people", [0, 2])
def test_a_picture_of_nobody_or_of_two_is_refused(
    people: int, tmp_path: Path, films, squares, recipe: Recipe, source: Callable
):
    both = [(4, 30, 32), (56, 30, 32)][:people]
    cv2.imwrite(str(tmp_path / "e.png"), films.picture(*both))
    reading = read_source(tmp_path, source("e.png"), recipe, squares)
    with pytest.raises(StopIteration) as stop:
        next(reading)
    (refused,) = stop.value.value.refused
    assert refused.reason == {0: "no face", 2: "two people"}[people]
