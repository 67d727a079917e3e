"""Mirrored episodes: all of an episode or nothing of it, and the same ones in every run."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from headmime.assets import ASSETS
from headmime.data.episodes import EpisodeDataset, EpisodeSampler
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.errors import HeadmimeError
from headmime.landmarks import points
from headmime.landmarks.drawing import draw_landmarks
from headmime.landmarks.points import OTHER_SIDE, mirror_landmarks

PAIRS = {0: 16, 8: 8, 17: 26, 21: 22, 28: 28, 31: 35, 33: 33, 36: 45, 37: 44, 38: 43, 39: 42}
PAIRS |= {40: 47, 41: 46, 48: 54, 50: 52, 51: 51, 55: 59, 57: 57, 60: 64, 61: 63, 65: 67, 66: 66}


@pytest.fixture(scope="module")
def turning() -> np.ndarray:
    """Every tenth frame of the bundled motion of a head that turns, in crop coordinates."""
    with np.load(ASSETS / "motions" / "turn.npz") as motion:
        return motion["landmarks"][::10].astype(np.float32)


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, clip: Callable[..., ClipFrames], turning: np.ndarray
) -> Path:
    """Three people whose images are not symmetric: 4 frames each."""
    folder = tmp_path_factory.mktemp("lopsided")
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8)[:, None] * 16, (4, 16, 16, 3))
    clips = (clip(p, 0, 0, frames=iter(ramp), landmarks=turning[:4]) for p in (1, 2, 3))
    write_shard(folder, 0, clips)
    finish_store(folder)
    return folder


def test_points_change_places_in_pairs():
    assert {a: OTHER_SIDE[a] for a in PAIRS} == PAIRS
    assert (OTHER_SIDE[OTHER_SIDE] == np.arange(points.POINTS)).all()


def test_a_head_turns_the_other_way_and_says_the_same(turning: np.ndarray):
    mirrored = mirror_landmarks(turning)
    assert mirrored.dtype == np.float32
    np.testing.assert_allclose(points.head_turn(mirrored), -points.head_turn(turning), atol=1e-5)
    opening = points.mouth_opening(turning)
    np.testing.assert_allclose(points.mouth_opening(mirrored), opening, atol=1e-5)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_the_drawing_of_mirrored_landmarks_is_the_mirrored_drawing(turning: np.ndarray, size: int):
    """Each colour's lines lie within a pixel of each other: both sides have the same colours."""
    square = np.ones((3, 3), np.uint8)
    for face in turning:
        one, other = (
            draw_landmarks(mirror_landmarks(face), size),
            draw_landmarks(face, size)[:, ::-1].copy(),
        )
        for a, b in ((one, other), (other, one)):
            assert (cv2.dilate(a, square)[b > 128] > 64).all()


def test_all_of_a_mirrored_episode_is_mirrored_but_its_row(folder: Path):
    plain, mirrored = (EpisodeDataset(folder, 2, 16, seed=3, mirror=m)[4] for m in (0, 1))
    for name in ("x_s", "x_t"):
        assert torch.equal(mirrored[name], plain[name].flip(-1))
        assert not torch.equal(mirrored[name], plain[name])
    for name in ("y_s", "y_t"):
        flipped = plain[name].flip(-1)
        assert (mirrored[name] - flipped).abs().mean() < 0.1 * (plain[name] + 1).mean()
    assert mirrored["row"] == plain["row"] and mirrored["episode"] == plain["episode"]
    sign = torch.tensor([[1.0, -1, -1], [-1, 1, 1]])  # mirrored before and after the map
    torch.testing.assert_close(mirrored["strips_t"], plain["strips_t"] * sign, atol=1e-5, rtol=0)


def test_mirroring_leaves_the_other_episodes_as_they_are(folder: Path):
    plain, some = (EpisodeDataset(folder, 2, 16, seed=3, mirror=m) for m in (0, 0.5))
    assert not any(plain.is_mirrored(n) for n in range(20))
    assert {some.is_mirrored(n) for n in range(20)} == {True, False}
    for n in range(20):
        assert plain.frames_of(n) == some.frames_of(n)
        equal = all(torch.equal(value, some[n][name]) for name, value in plain[n].items())
        assert equal != some.is_mirrored(n)


def test_which_episodes_is_a_function_of_seed_and_number(folder: Path):
    one, again, other = (EpisodeDataset(folder, 2, 16, seed=s, mirror=0.25) for s in (3, 3, 4))
    ours = [one.is_mirrored(n) for n in range(2000)]
    assert ours == [again.is_mirrored(n) for n in range(2000)]
    assert ours != [other.is_mirrored(n) for n in range(2000)]
    assert 420 < sum(ours) < 580  # four deviations about 500


def test_workers_give_the_same_mirrored_episodes(folder: Path):
    dataset = EpisodeDataset(folder, 2, 16, seed=3, mirror=0.5)
    sampler = EpisodeSampler(8, batch=4)
    one, two = (list(DataLoader(dataset, batch_sampler=sampler, num_workers=n)) for n in (0, 2))
    for a, b in zip(one, two, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("mirror", [-0.1, 2, float("nan")])
def test_a_share_lies_between_0_and_1(folder: Path, mirror: float):
    with pytest.raises(HeadmimeError, match="must lie between 0 and 1"):
        EpisodeDataset(folder, 2, 16, seed=3, mirror=mirror)
