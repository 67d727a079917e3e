"""Frames that stay on the device give the loader's batches, to the last bit."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from headmime.data.episodes import EpisodeDataset
from headmime.data.module import EpisodeData
from headmime.data.resident import ResidentFrames
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.errors import HeadmimeError

SIDE, K = 48, 2


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, clip: Callable[..., ClipFrames]) -> Path:
    """Four videos, one of the split "test", of two clips with 3 and 4 frames of noise."""
    folder = tmp_path_factory.mktemp("noise")
    random = np.random.default_rng(0)

    def noise(n: int) -> list[np.ndarray]:
        return [
            cv2.resize(random.integers(0, 255, (9, 9, 3), np.uint8), (SIDE, SIDE)) for _ in range(n)
        ]

    for shard, persons in enumerate([(2, 0), (3, 1)]):
        clips = [clip(p, 0, c, 3 + c, frames=noise(3 + c)) for p in persons for c in (0, 1)]
        write_shard(folder, shard, clips)
    finish_store(folder)
    return folder


def data(store: Path, **changes) -> EpisodeData:
    settings = {"sources": K, "batch": 3, "workers": 0, "seed": 5, "size": SIDE, "mirror": 0.5}
    return EpisodeData(store, **(settings | changes))


def batches(module: EpisodeData, n: int) -> list[dict[str, Tensor]]:
    """The first n batches as training gets them."""
    given = iter(module.train_dataloader())
    return [module.on_after_batch_transfer(next(given), 0) for _ in range(n)]


def assert_equal(one: dict[str, Tensor], two: dict[str, Tensor]) -> None:
    assert list(one) == list(two)
    for name in one:
        assert one[name].dtype == two[name].dtype and torch.equal(one[name], two[name]), name


@pytest.mark.parametrize("side", [48, 40, 24])
@pytest.mark.parametrize("mirror", [0.0, 0.5])
def test_batches_equal_the_datasets(store: Path, side: int, mirror: float) -> None:
    """At the store's side, at one that is averaged and at one that the decoder shrinks to."""
    dataset = EpisodeDataset(store, K, SIDE, seed=5, mirror=mirror)
    resident = ResidentFrames(dataset.store, SIDE, mirrored=mirror > 0)
    for numbers in ([0, 1, 2, 3], [10**9, 7, 8]):
        assert_equal(resident.batch(dataset.sample(numbers, side)), dataset.batch(numbers, side))
    assert len({dataset.is_mirrored(n) for n in range(4)}) == (2 if mirror else 1)


@pytest.mark.parametrize("workers", [0, 2])
def test_training_gets_the_loaders_batches(store: Path, workers: int) -> None:
    """Also from a later episode on, and where a stage of the curriculum ends."""
    for start, side_at in ((0, None), (17, lambda n: 24 if n < 21 else SIDE)):
        ours, loaders = (
            data(store, side_at=side_at, workers=w, on_device=on_device)
            for w, on_device in ((workers, True), (0, False))
        )
        ours.episodes = loaders.episodes = start
        for _ in range(3):  # passes of one batch each: three videos to train on
            for one, two in zip(batches(ours, 1), batches(loaders, 1), strict=True):
                assert_equal(one, two)
                assert one["x_t"].dtype == torch.float32
            ours.episodes = loaders.episodes = start = start + 3


def test_the_loader_sends_numbers_only(store: Path) -> None:
    sent = next(iter(data(store, on_device=True).train_dataloader()))
    assert sum(t.nbytes for t in sent.values() if isinstance(t, Tensor)) < 3 * 100
    assert isinstance(data(store, on_device=True).train_dataloader(), DataLoader)


def test_what_does_not_fit_is_refused(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """28 frames of 48 pixels, their drawings and the mirror's are 0.6 MB: 1 MB is too little."""
    module = data(store, on_device=True)
    assert module.resident.bytes(SIDE) == 28 * 48 * 48 * 3 * 3
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 2**10, "SC_PHYS_PAGES": 2**10}.get)
    with pytest.raises(HeadmimeError, match="frames_on_device=true: .* set frames_on_device=false"):
        batches(module, 1)
    assert len(batches(data(store, on_device=True, size=24, mirror=0.0), 1)) == 1
