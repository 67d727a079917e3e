"""Cases: disjoint, nested, the same whatever the order on disk; written down by name."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headmime.data.protocol import (
    _clips_to_hold_out,
    cross_cases,
    sample_cases,
    single_image_videos,
)
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.errors import HeadmimeError

MakeClip = Callable[..., ClipFrames]
LENGTHS = {1: (9, 7), 2: (4, 4, 4, 4), 3: (16,), 4: (15, 1), 5: (3, 2)}  # of each video's clips


def make_store(folder: Path, clip: MakeClip, backwards: bool = False) -> Store:
    """Person 1 has two videos, the others one; the clips are in one shard or, backwards, in two."""
    keys = [(p, v, c) for p in LENGTHS for v in range(2 if p == 1 else 1) for c in range(4)]
    keys = [key for key in keys if key[2] < len(LENGTHS[key[0]])]
    order = keys[::-1] if backwards else keys
    parts = [order[::2], order[1::2]] if backwards else [order]
    for shard, part in enumerate(parts):
        clips = (clip(p, v, c, LENGTHS[p][c], split="test") for p, v, c in part)
        write_shard(folder, shard, clips)
    return finish_store(folder)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, clip: MakeClip) -> Store:
    return make_store(tmp_path_factory.mktemp("protocol"), clip)


@given(seed=st.integers(0, 1000), held_out=st.integers(1, 8), sources=st.integers(1, 8))
def test_sources_and_held_out_frames_are_different_and_of_their_video(
    store: Store, seed: int, held_out: int, sources: int
):
    protocol = sample_cases(store, held_out=held_out, sources=sources, seed=seed)
    assert len({case.video for case in protocol.cases}) == len(protocol.cases)
    for case in protocol.cases:
        frames = {*case.sources, *case.held_out}
        assert len(case.sources) == sources and len(case.held_out) == held_out
        assert len(frames) == sources + held_out
        for clip, t in frames:
            assert clip in store.clips_of(case.video) and 0 <= t < store.clip(clip).frames
    assert len(protocol.cases) + len(protocol.left_out) == 6


@given(seed=st.integers(0, 200))
def test_they_are_of_different_clips_where_that_is_possible(store: Store, seed: int):
    for case in sample_cases(store, held_out=7, sources=8, seed=seed).cases:
        one, other = ({clip for clip, _ in frames} for frames in (case.sources, case.held_out))
        person, _ = store.videos[case.video]
        if person in ("person 1", "person 2"):
            assert not one & other
        else:  # then they are at the two ends
            numbers = [
                [store.frame_starts[c] + t for c, t in f] for f in (case.sources, case.held_out)
            ]
            assert max(numbers[0]) < min(numbers[1]) or max(numbers[1]) < min(numbers[0])


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=7),
    held_out=st.integers(1, 20),
    sources=st.integers(1, 20),
)
def test_clips_are_parted_if_they_can_be(lengths: list[int], held_out: int, sources: int):
    found = _clips_to_hold_out(dict(enumerate(lengths)), held_out, sources)
    totals = {0}
    for length in lengths:
        totals |= {total + length for total in totals}
    possible = any(held_out <= total <= sum(lengths) - sources for total in totals)
    assert (found is not None) == possible
    if found is not None:
        total = sum(lengths[clip] for clip in found)
        assert len(set(found)) == len(found)
        assert held_out <= total <= sum(lengths) - sources


def test_the_order_on_disk_does_not_matter(store: Store, tmp_path: Path, clip: MakeClip):
    other = make_store(tmp_path, clip, backwards=True)
    assert other.hash != store.hash
    one, two = (sample_cases(s, held_out=4, sources=3, seed=5) for s in (store, other))
    assert one.cases == two.cases and one.left_out == two.left_out
    assert one.cases != sample_cases(store, held_out=4, sources=3, seed=6).cases


def test_a_video_more_does_not_change_the_others(store: Store, tmp_path: Path, clip: MakeClip):
    make_store(tmp_path, clip)
    write_shard(tmp_path, 1, [clip(9, 0, 0, 16, split="test")])
    larger = finish_store(tmp_path)
    before, after = (
        {s.videos[case.video]: case for case in sample_cases(s, held_out=4, sources=3).cases}
        for s in (store, larger)
    )
    assert set(after) - set(before) == {("person 9", "video 0")}
    assert all(after[name].sources == before[name].sources for name in before)


def test_everybody_once_before_anybody_twice(store: Store):
    for seed in range(20):
        protocol = sample_cases(store, videos=5, held_out=2, sources=2, seed=seed)
        assert len({store.videos[case.video][0] for case in protocol.cases}) == 5
        (reason,) = protocol.left_out.values()
        assert reason == "5 videos were drawn without it"


def test_too_short_videos_are_named(store: Store):
    protocol = sample_cases(store, held_out=8, sources=8)
    assert protocol.left_out == {"person 5/video 0": "5 frames, not 8 + 8"}
    with pytest.raises(HeadmimeError, match="No video of the split 'test' .* 32 held-out and 32"):
        sample_cases(store)
    with pytest.raises(HeadmimeError, match="split 'train'"):
        sample_cases(store, split="train", held_out=1, sources=1)


def test_single_images_are_videos_of_one_frame(tmp_path: Path, clip: MakeClip):
    lengths = {1: 1, 2: 4, 3: 1, 4: 1}
    write_shard(
        tmp_path,
        0,
        [clip(p, 0, 0, n, split="train" if p == 4 else "test") for p, n in lengths.items()],
    )
    store = finish_store(tmp_path)
    assert [store.videos[video][0] for video in single_image_videos(store, "test")] == [
        "person 1",
        "person 3",
    ]


def test_it_is_written_down(store: Store):
    protocol = sample_cases(store, held_out=4, sources=3, seed=2)
    content = json.loads(protocol.to_json(store))
    assert (content["store"], content["split"], content["seed"]) == (store.hash, "test", 2)
    for case, first in zip(protocol.cases, content["cases"], strict=True):
        assert (first["person"], first["video"]) == store.videos[case.video]
        named = [[store.clip(clip).clip, t] for clip, t in case.sources]
        assert first["sources"] == named


@settings(max_examples=20)
@given(drivers=st.sets(st.sampled_from([(1, 2), (2, 1), (1, 3), (3, 2)]), min_size=1))
def test_cross_cases(
    tmp_path_factory: pytest.TempPathFactory, clip: MakeClip, drivers: set[tuple[int, int]]
):
    folder = tmp_path_factory.mktemp("cross")
    clips = [
        clip(p, v, 0, 3, video=name, split="cross")
        for p in (1, 2, 3)
        for v, name in enumerate(["own", *(f"as-person {d}" for s, d in drivers if s == p)])
    ]
    write_shard(folder, 0, clips)
    store = finish_store(folder)
    cases = cross_cases(store)
    assert len(cases) == len(drivers)
    for case in cases:
        source, driver, truth = (
            store.videos[v] for v in (case.source_video, case.driving_video, case.truth_video)
        )
        assert source[1] == driver[1] == "own"
        assert truth == (source[0], f"as-{driver[0]}")
        (only,) = store.clips_of(case.truth_video)
        assert case.truth == tuple((only, t) for t in range(3))
        assert {c for c, _ in case.driving} == set(store.clips_of(case.driving_video))
        assert sorted(case.sources) == [(store.clips_of(case.source_video)[0], t) for t in range(3)]
        assert case.sources == cases[0].sources or source != store.videos[cases[0].source_video]
    assert cases == cross_cases(store)


def test_stores_without_cross_cases(store: Store, tmp_path: Path, clip: MakeClip):
    with pytest.raises(HeadmimeError, match="no cross-reenactment .* cross=20"):
        cross_cases(store)
    write_shard(tmp_path, 0, [clip(1, 0, 0, video="as-person 2", split="cross")])
    with pytest.raises(HeadmimeError, match="lacks the video person 1/own"):
        cross_cases(finish_store(tmp_path))
