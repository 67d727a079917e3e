"""From detections to a clip: following, gaps, smoothing. No detector is needed for any of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headmime.landmarks.faces import Face, largest, overlap
from headmime.landmarks.track import FOLLOWED, fill_gaps, smooth, track


def face_at(x: float, side: float = 100) -> Face:
    points = np.full((68, 2), x, np.float32)
    return Face(points, score=1.0, box=(x, 0, x + side, side))


@dataclass
class Scripted:
    """A detector that knows beforehand who is where: faces[t] are those of frame t.

    The frame's only pixel is its number. It notes the frames in which it searched.
    """

    faces: Sequence[list[Face]]
    searched: list[int] = field(default_factory=list)
    name: str = "scripted"
    batch: int = 1

    def frames(self) -> list[np.ndarray]:
        return [np.full((1, 1, 3), t, np.int64) for t in range(len(self.faces))]

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        self.searched += [int(frame.flat[0]) for frame in frames]
        return [self.faces[int(frame.flat[0])] for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        near = [f for f in self.faces[int(frame.flat[0])] if overlap(f.box, face.box) > 0.3]
        return near[0] if near else None


def places(detector: Scripted) -> list[float]:
    """Where the tracked face was in every frame, NaN if nowhere."""
    return track(iter(detector.frames()), detector).pixels[:, 0, 0].tolist()


def test_the_largest_face():
    assert largest([face_at(0, 50), face_at(200, 80), face_at(400, 60)]).pixels[0, 0] == 200


def test_overlap_is_intersection_over_union():
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == overlap((0, 0, 1, 1), (5, 5, 6, 6)) == 0


def test_a_face_is_searched_once_and_then_followed():
    detector = Scripted([[face_at(t)] for t in range(20)])
    assert places(detector) == list(range(20))
    assert detector.searched == [0]


def test_a_person_is_not_swapped_for_a_larger_one():
    detector = Scripted([[face_at(0)], *[[face_at(300, 200), face_at(0)] for _ in range(5)]])
    assert places(detector) == [0] * 6


def test_nor_for_the_only_one_in_sight_while_the_first_looks_away():
    other = face_at(300)
    detector = Scripted([[face_at(0)], [other], [other], [face_at(2)]])
    np.testing.assert_array_equal(places(detector), [0, np.nan, np.nan, 2])


def test_after_a_cut_the_next_person_is_taken():
    detector = Scripted([[face_at(0)]] * 3 + [[face_at(500)]] * 30)
    found = np.array(places(detector))
    np.testing.assert_array_equal(found[:3], 0)
    assert np.isnan(found[3 : 3 + FOLLOWED]).all()
    np.testing.assert_array_equal(found[-15:], 500)


def test_where_nobody_is_searches_become_seldom():
    detector = Scripted([[]] * 1000)
    result = track(iter(detector.frames()), detector)
    assert not result.found.any() and result.people == 0 and result.pixels.shape == (1000, 68, 2)
    assert len(detector.searched) < 1000 / 8
    assert max(np.diff(detector.searched)) <= 9


@pytest.mark.parametrize("gap", [12, 25, 30, 60])
def test_a_face_that_comes_back_is_found_within_a_third_of_a_second(gap):
    detector = Scripted([[face_at(0)]] * 5 + [[]] * gap + [[face_at(10)]] * 20)
    assert np.isnan(places(detector)[5:]).sum() <= gap + 8


def test_scores_and_people():
    detector = Scripted([[face_at(0), face_at(300, 50)], [face_at(0)], []])
    result = track(iter(detector.frames()), detector)
    assert result.people == 2
    assert result.scores.tolist() == [1, 1, 0]
    assert result.found.tolist() == [True, True, False]


def test_others_are_looked_for_now_and_then():
    """A child of half the side comes in at frame 10."""
    pair = [face_at(0), face_at(300, 50)]
    result = track(*_scripted([[face_at(0)]] * 10 + [pair] * 11), search_every=5)
    searched = np.flatnonzero(~np.isnan(result.others))
    assert searched.tolist() == [0, 5, 10, 15, 20]
    assert result.others[searched].tolist() == pytest.approx([0, 0, 0.5, 0.5, 0.5])
    assert result.found.all() and result.people == 2


def test_many_frames_at_a_time_give_the_same_track():
    """In batches: the person is kept, the gap is there, the stranger is seen."""
    faces = [[face_at(t), face_at(300, 200)] for t in range(1, 8)]
    faces = [[face_at(0)], *faces, [], [face_at(9)], [face_at(10)]]
    result = track(*_scripted(faces, batch=4))
    np.testing.assert_array_equal(result.pixels[:, 0, 0], [*range(8), np.nan, 9, 10])
    assert result.others[[0, 3, 9]].tolist() == [0, 2, 0]


def test_points_that_were_not_checked_before_the_face_was_lost_are_not_believed():
    """The detector looks in every third frame only; the face is gone in frame 5."""

    class Lazy(Scripted):
        def follow(self, frame: np.ndarray, face: Face) -> Face | None:
            if face.unchecked < 2:
                return replace(face, unchecked=face.unchecked + 1)
            return super().follow(frame, face)

    lazy = Lazy([[face_at(0)]] * 5 + [[]] * 4)
    result = track(iter(lazy.frames()), lazy)
    assert result.found.tolist() == [True] * 4 + [False] * 5
    assert (result.scores > 0).tolist() == result.found.tolist()


def _scripted(faces: Sequence[list[Face]], batch: int = 1) -> tuple:
    detector = Scripted(faces, batch=batch)
    return iter(detector.frames()), detector


def test_no_frames_at_all():
    result = track([], Scripted([]))
    assert result.pixels.shape == (0, 68, 2)
    assert fill_gaps(result.pixels).shape == (0, 68, 2)


def clip(values: Sequence[float]) -> np.ndarray:
    return np.repeat(np.array(values, np.float32), 136).reshape(-1, 68, 2)


gone = float("nan")


def test_short_gaps_are_filled_along_a_line():
    filled = fill_gaps(clip([0, gone, gone, 6, gone, 2]))
    np.testing.assert_allclose(filled, clip([0, 2, 4, 6, 4, 2]))


def test_at_the_ends_the_nearest_face_stays():
    filled = fill_gaps(clip([gone, gone, 3, 4, gone]))
    np.testing.assert_array_equal(filled, clip([3, 3, 3, 4, 4]))


def test_long_gaps_are_left():
    values = clip([gone, 1, *[gone] * 6, 2, gone, 4])
    filled = fill_gaps(values)
    assert np.isnan(filled[2:8]).all() and not np.isnan(np.delete(filled, range(2, 8), 0)).any()
    assert not np.isnan(fill_gaps(values, longest=6)).any()


def test_a_clip_without_a_face_is_one_gap():
    assert np.isnan(fill_gaps(clip([gone] * 3))).all()


@given(
    steps=st.integers(1, 40), slope=st.floats(-5, 5), curve=st.floats(-1, 1), start=st.floats(-9, 9)
)
def test_smooth_motion_is_kept_without_lag(steps: int, slope: float, curve: float, start: float):
    t = np.arange(steps)
    inner = slice(3, -3) if steps > 6 and curve else slice(None)
    for values in (start + slope * t, start + slope * t + curve * t**2):
        motion = clip(values)
        np.testing.assert_allclose(smooth(motion)[inner], motion[inner], atol=1e-2)
        if not curve:
            break
        inner = slice(3, -3)


def test_jitter_is_reduced_to_six_tenths_and_a_blink_survives():
    noise = np.random.default_rng(0).normal(size=(2000, 68, 2)).astype(np.float32)
    assert smooth(noise)[3:-3].std() == pytest.approx(0.577, abs=0.01)  # sqrt(sum of squares)
    blink = clip([1] * 10 + [0.5, 0, 0, 0.5] + [1] * 10)
    assert smooth(blink).min() < 0.25
    assert smooth(blink)[:, 0, 0].argmin() in (11, 12)


def test_smoothing_is_symmetric_in_time():
    motion = np.random.default_rng(0).normal(size=(30, 68, 2))
    np.testing.assert_allclose(smooth(motion)[::-1], smooth(motion[::-1]), atol=1e-12)
