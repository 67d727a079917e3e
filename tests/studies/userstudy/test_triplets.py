"""Which frames are shown together."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headmime.data.protocol import Case
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.landmarks.crop import Crop
from headmime.studies.userstudy.triplets import sample_triplets

MakeStore = Callable[..., Store]


@pytest.fixture
def make_store(tmp_path: Path) -> MakeStore:
    """A store of persons with so many videos of so many clips of so many frames."""

    def make(persons: int, videos: int, clips: int, frames: int) -> Store:
        rng = np.random.default_rng(0)
        write_shard(
            tmp_path / "store",
            0,
            (
                ClipFrames(
                    person=f"person {person}",
                    video=f"video {video}",
                    clip=f"clip {clip}",
                    split="test",
                    source="made up",
                    fps=25.0,
                    crop=Crop(0, 0, 100),
                    detector="dlib",
                    frames=rng.integers(0, 255, (frames, 16, 16, 3), np.uint8),
                    landmarks=rng.uniform(0, 1, (frames, 68, 2)),
                    times=np.arange(frames) / 25,
                    scores=np.ones(frames),
                )
                for person in range(persons)
                for video in range(videos)
                for clip in range(clips)
            ),
        )
        return finish_store(tmp_path / "store")

    return make


def case_of(store: Store, video: int, sources: int, held_out: int) -> Case:
    """The first frames of a video are its sources, the next ones held out."""
    frames = [(clip, t) for clip in store.clips_of(video) for t in range(store.clip(clip).frames)]
    return Case(video, tuple(frames[:sources]), tuple(frames[sources : sources + held_out]))


def test_three_videos_where_a_person_has_them(make_store: MakeStore) -> None:
    store = make_store(3, 3, 2, 4)
    cases = [case_of(store, video, sources=2, held_out=3) for video in (0, 3, 6)]
    draws, left_out = sample_triplets(store, cases, 6, seed=0)
    assert len(draws) == 6 and not left_out
    for draw in draws:
        shown = [store.clip(clip) for clip, _ in (draw.driving, *draw.real)]
        assert draw.sequences == "videos"
        assert len({clip.video for clip in shown}) == 3
        assert {clip.person for clip in shown} == {store.videos[cases[draw.case].video][0]}
        assert draw.driving in cases[draw.case].held_out


def test_three_clips_where_there_are_no_three_videos(make_store: MakeStore) -> None:
    store = make_store(2, 2, 2, 4)
    cases = [case_of(store, video, sources=1, held_out=4) for video in (0, 2)]
    draws, _ = sample_triplets(store, cases, 2, seed=0)
    for draw in draws:
        assert draw.sequences == "clips"
        assert len({clip for clip, _ in (draw.driving, *draw.real)}) == 3


def test_different_thirds_of_what_is_left_where_there_are_no_three_clips(
    make_store: MakeStore,
) -> None:
    store = make_store(1, 1, 1, 40)
    draws, _ = sample_triplets(store, [case_of(store, 0, sources=10, held_out=30)], 1, seed=3)
    (draw,) = draws
    assert draw.sequences == "moments"
    times = [t for _, t in (draw.driving, *draw.real)]
    assert sorted((t - 10) // 10 for t in times) == [0, 1, 2]


def test_no_frame_is_shown_twice_and_no_source_at_all(make_store: MakeStore) -> None:
    store = make_store(2, 3, 1, 6)
    cases = [case_of(store, video, sources=3, held_out=3) for video in range(6)]
    draws, _ = sample_triplets(store, cases, 1000, seed=1)
    shown = [frame for draw in draws for frame in (draw.driving, *draw.real)]
    assert len(shown) == len(set(shown))
    assert not set(shown) & {frame for case in cases for frame in case.sources}
    assert len(draws) >= 4


def test_the_draw_is_a_function_of_the_seed(make_store: MakeStore) -> None:
    store = make_store(2, 3, 2, 6)
    cases = [case_of(store, video, sources=3, held_out=3) for video in range(6)]
    assert sample_triplets(store, cases, 5, 0) == sample_triplets(store, cases, 5, 0)
    assert sample_triplets(store, cases, 5, 0) != sample_triplets(store, cases, 5, 1)


def test_whoever_has_too_few_frames_is_left_out_by_name(make_store: MakeStore) -> None:
    store = make_store(2, 1, 1, 4)
    cases = [case_of(store, 0, sources=2, held_out=2), case_of(store, 1, sources=1, held_out=3)]
    draws, left_out = sample_triplets(store, cases, 2, seed=0)
    assert [draw.case for draw in draws] == [1]
    assert left_out == {0: "fewer than three frames are left beside the sources"}
