"""A new shot is told from motion, light and a jump of the frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmime.data.media_reader import read_image
from headmime.data.preprocess.segments import LEAST, LONGEST, CutFinder, Parts, find_parts
from headmime.landmarks.track import Track


@pytest.fixture(scope="module")
def lady(mona_lisa) -> np.ndarray:
    return read_image(mona_lisa)[:240, :240]


def cuts(*images: np.ndarray) -> list[bool]:
    find = CutFinder()
    return [find(image) for image in images]


def test_one_shot(lady: np.ndarray):
    moved, brighter = np.roll(lady, 40, 1), np.clip(lady * 1.1, 0, 255).astype(np.uint8)
    assert cuts(lady, lady, moved, lady, brighter) == [False] * 5


def test_another_shot(lady: np.ndarray):
    sky = np.full_like(lady, (180, 200, 240))
    sky[150:] = (40, 90, 40)
    assert cuts(lady, lady, sky, sky, lady) == [False, False, True, False, True]


def test_sizes_may_differ(lady: np.ndarray):
    assert cuts(lady, lady[::2, ::2]) == [False, False]


def film(faces: str, cuts: tuple[int, ...] = (), fps: float = 25) -> Parts:
    """A character per frame: `.` no face, `f` a face, `1` searched and alone, `2` searched, two."""
    found = np.array([one != "." for one in faces])
    pixels = np.where(found[:, None, None], np.ones((1, 68, 2)), np.nan).astype(np.float32)
    others = np.array([{"1": 0.0, ".": 0.0, "2": 0.9}.get(one, np.nan) for one in faces])
    starts = np.isin(np.arange(len(faces)), cuts)
    track = Track(pixels, found.astype(np.float32), 1, others.astype(np.float32))
    return find_parts(track, np.arange(len(faces)) / fps, starts)


def test_a_face_all_the_time_is_one_clip():
    parts = film("1" + "f" * 30)
    assert parts.kept == [(0, 31)] and parts.refused == []


def test_a_cut_makes_two_clips():
    assert film("1" + "f" * 29, cuts=(12,)).kept == [(0, 12), (12, 30)]


def test_a_short_gap_is_filled_but_not_across_a_cut():
    assert film("f" * 10 + "..." + "f" * 10).kept == [(0, 23)]
    parts = film("f" * 10 + "..." + "f" * 10, cuts=(12,))
    assert parts.kept == [(0, 12), (12, 23)]  # repeated up to the cut from either side
    assert not np.isnan(parts.pixels).any()


def test_a_lost_face_splits_and_is_reported():
    parts = film("f" * 10 + "." * 9 + "f" * 10)
    assert parts.kept == [(0, 10), (19, 29)]
    assert parts.refused == [(10, 19, "no face")]


def test_parts_that_are_too_short_are_reported():
    parts = film("f" * 5 + "." * 9 + "f" * 10)
    assert parts.kept == [(14, 24)]
    assert parts.refused[0] == (0, 5, "only 5 frames of one person in one shot")


def test_two_people_are_left_out_between_searches_that_saw_one():
    parts = film("1fffffffffff" + "1fff2fff1" + "fffffffffff")
    assert parts.kept == [(0, 13), (20, 32)]
    assert parts.refused == [(13, 20, "two people")]
    assert film("2" + "f" * 40).kept == []


def test_long_takes_become_several_clips_of_about_the_same_length():
    parts = film("f" * 101, fps=2)
    assert parts.kept == [(0, 34), (34, 67), (67, 101)]


@given(st.text("..fffff12", min_size=1, max_size=120), st.sets(st.integers(1, 119), max_size=4))
def test_every_frame_is_in_one_clip_or_in_one_refusal(faces: str, cuts: set[int]):
    parts = film(faces, tuple(cuts), fps=3)
    pieces = sorted([*parts.kept, *[one[:2] for one in parts.refused]])
    assert [t for first, end in pieces for t in range(first, end)] == list(range(len(faces)))
    for first, end in parts.kept:
        assert end - first >= LEAST and (end - 1 - first) / 3 <= LONGEST
        assert not np.isnan(parts.pixels[first:end]).any()
        assert not any(first < cut < end for cut in cuts)
