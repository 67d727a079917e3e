"""Episodes: a pure function of (seed, number), every video once per epoch, targets kept apart."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from headmime.data.episodes import EpisodeDataset, EpisodeSampler
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.landmarks.drawing import draw_landmarks
from headmime.pixels import to_tensor

K = 3


@pytest.fixture(scope="module")
def dataset(store_folder: Path) -> EpisodeDataset:
    return EpisodeDataset(store_folder, K, 16, seed=7)


def test_shapes_types_and_range(dataset: EpisodeDataset):
    episode = dataset[0]
    for name in ("x", "y"):
        assert episode[f"{name}_s"].shape == (K, 3, 16, 16)
        assert episode[f"{name}_t"].shape == (3, 16, 16)
        assert episode[f"{name}_s"].dtype == episode[f"{name}_t"].dtype == torch.float32
    assert episode["y_t"].min() == -1 and episode["y_t"].max() > 0.5
    assert episode["row"].dtype == episode["episode"].dtype == torch.int64


def test_images_and_drawings_are_those_of_the_store(dataset: EpisodeDataset, store_folder: Path):
    store = Store(store_folder)
    for n in range(5):
        video, frames = dataset.frames_of(n)
        episode = dataset[n]
        assert episode["row"] == video and episode["episode"] == n
        for k, (clip, t) in enumerate(frames):
            assert clip in store.clips_of(video)
            x = episode["x_s"][k] if k < K else episode["x_t"]
            y = episode["y_s"][k] if k < K else episode["y_t"]
            assert torch.equal(x, to_tensor(store.frame(clip, t)))
            assert torch.equal(y, to_tensor(draw_landmarks(store.landmarks_at(clip, t), 16)))


@given(n=st.integers(0, 10**9))
def test_all_frames_of_an_episode_differ(dataset: EpisodeDataset, n: int):
    """So the target, the last of them, is never among the sources."""
    _, frames = dataset.frames_of(n)
    assert len(set(frames)) == K + 1


@given(epoch=st.integers(0, 1000))
def test_every_video_of_the_split_once_per_epoch(dataset: EpisodeDataset, epoch: int):
    numbers = range(epoch * len(dataset), (epoch + 1) * len(dataset))
    videos = [dataset.frames_of(n)[0] for n in numbers]
    assert sorted(videos) == dataset.videos.tolist()
    assert len(dataset) == 14 and not {0, 1} & set(videos)  # person 0 is the test split


def test_an_episode_is_a_function_of_seed_and_number(dataset: EpisodeDataset, store_folder: Path):
    numbers = [40, 3, 3, 999, 0]
    again = EpisodeDataset(Store(store_folder), K, 16, seed=7)
    other = EpisodeDataset(store_folder, K, 16, seed=8)
    ours = [dataset.frames_of(n) for n in numbers]
    assert ours == [again.frames_of(n) for n in numbers]
    assert ours == [dataset.frames_of(n) for n in reversed(numbers)][::-1]
    assert ours != [other.frames_of(n) for n in numbers]
    assert all(torch.equal(dataset[3][name], again[3][name]) for name in dataset[3])


def test_order_and_frames_change_from_epoch_to_epoch(dataset: EpisodeDataset):
    one, two = ([dataset.frames_of(n) for n in range(e * 14, e * 14 + 14)] for e in (0, 1))
    assert [video for video, _ in one] != [video for video, _ in two]
    assert dict(one) != dict(two)


def test_all_frames_of_a_video_are_used_alike(dataset: EpisodeDataset):
    counts = Counter()
    for n in range(14 * 200):
        video, frames = dataset.frames_of(n)
        if video == 5:
            counts.update(frames)
    assert len(counts) == 8  # 2 clips of 4 frames
    assert min(counts.values()) > 70  # of 100 on average


def test_smaller_images_are_area_averages(store_folder: Path, dataset: EpisodeDataset):
    small = EpisodeDataset(store_folder, K, 8, seed=7)[0]
    large = dataset[0]["x_t"]
    average = large.reshape(3, 8, 2, 8, 2).mean((2, 4))
    assert (small["x_t"] - average).abs().max() < 0.01


def test_workers_give_the_same_episodes(dataset: EpisodeDataset):
    sampler = EpisodeSampler(len(dataset), batch=4)
    one, two = (
        list(DataLoader(dataset, batch_sampler=sampler, num_workers=workers)) for workers in (0, 2)
    )
    for a, b in zip(one, two, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_videos_with_too_few_frames_are_left_out(
    tmp_path: Path, clip: Callable[..., ClipFrames], caplog: pytest.LogCaptureFixture
):
    """Their rows of W stay theirs: other videos keep their numbers."""
    write_shard(tmp_path, 0, [clip(1, 0, 0, 3), clip(2, 1, 0, 4), clip(3, 0, 0, 2)])
    finish_store(tmp_path)
    assert len(EpisodeDataset(tmp_path, 1, 16, seed=0)) == 3
    assert not caplog.records
    dataset = EpisodeDataset(tmp_path, 3, 16, seed=0)
    assert [dataset[n]["row"].item() for n in range(3)] == [1, 1, 1]
    assert "2 of 3 videos of the split 'train' have fewer than 4 frames" in caplog.text
    with pytest.raises(HeadmimeError, match="No video of the split 'train' .* 5 frames"):
        EpisodeDataset(tmp_path, 4, 16, seed=0)


def test_wrong_sizes_and_splits(store_folder: Path):
    with pytest.raises(HeadmimeError, match="16 pixels, fewer than the 32"):
        EpisodeDataset(store_folder, K, 32, seed=0)
    with pytest.raises(HeadmimeError, match="no videos in its split 'held-out'"):
        EpisodeDataset(store_folder, K, 16, seed=0, split="held-out")


@given(
    length=st.integers(1, 50),
    batch=st.integers(1, 9),
    ranks=st.integers(1, 4),
    start=st.integers(0, 10**6),
)
def test_ranks_share_a_pass_without_gap_or_overlap(length: int, batch: int, ranks: int, start: int):
    samplers = [EpisodeSampler(length, batch, start, rank, ranks) for rank in range(ranks)]
    passes = [list(sampler) for sampler in samplers]
    assert all(len(one) == len(samplers[0]) for one in passes)
    seen = [n for step in zip(*passes, strict=True) for numbers in step for n in numbers]
    assert seen == list(range(start, start + len(seen)))
    for sampler, one in zip(samplers, passes, strict=True):
        assert sampler.after(torch.tensor(one[-1])) == start + len(seen)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 9)), max_size=5))
def test_a_run_goes_on_with_the_very_next_episode_on_any_number_of_ranks(
    legs: list[tuple[int, int, int]],
):
    """Each leg: ranks, batch, and the step after which it is stopped."""
    seen, start = [], 0
    for ranks, batch, steps in legs:
        samplers = [EpisodeSampler(30, batch, start, rank, ranks) for rank in range(ranks)]
        for step in list(zip(*samplers, strict=True))[:steps]:
            seen += [n for numbers in step for n in numbers]
            ends = {s.after(torch.tensor(own)) for s, own in zip(samplers, step, strict=True)}
            (start,) = ends  # every rank says the same
    assert seen == list(range(start))


def test_one_pass_is_about_one_epoch():
    assert len(EpisodeSampler(100, batch=8, ranks=2)) == 6
    assert len(EpisodeSampler(3, batch=8)) == 1  # never none


def test_far_numbers_are_as_good_as_near_ones(dataset: EpisodeDataset):
    assert dataset[10**12]["episode"] == 10**12
