"""What loaders need of /dev/shm is known before it runs out."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from headmime.data.module import SHARED_MEMORY, EpisodeData, check_shared_memory
from headmime.errors import HeadmimeError


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Docker's 64 MB."""
    usage = {SHARED_MEMORY: SimpleNamespace(free=64 * 2**20)}
    monkeypatch.setattr(shutil, "disk_usage", usage.__getitem__)
    monkeypatch.setattr(Path, "is_dir", lambda path: True)
    return monkeypatch


def episode_data(store: Path, workers: int, batch: int, on_device: bool = False) -> EpisodeData:
    numbers = {"sources": 3, "batch": batch, "workers": workers, "seed": 0, "size": 16}
    return EpisodeData(store, **numbers, on_device=on_device)


def test_a_batch_is_as_large_as_it_is_thought_to_be(store_folder: Path) -> None:
    data = episode_data(store_folder, workers=1, batch=5)
    images = [p for p in data.dataset.batch(range(5)).values() if p.ndim >= 4 and p.shape[-1] > 3]
    assert sum(image.nbytes for image in images) * 2 == data.shared_bytes


def test_what_cannot_fit_is_refused_with_the_keys_that_help(
    store_folder: Path, free: pytest.MonkeyPatch
) -> None:
    data = episode_data(store_folder, workers=8, batch=48)
    data.sources, data.size = 8, 256  # the paper's: 2.7 GB for each GPU
    said = r"fill 2.7 GB .* batches of 48 .* has 0.067 GB free: .*--shm-size=4g, .*workers=0"
    with pytest.raises(HeadmimeError, match=said):
        check_shared_memory(data, 1)
    with pytest.raises(HeadmimeError, match=r"fill 22 GB .*processes 8 .*--shm-size=23g"):
        check_shared_memory(data, 8)


def test_what_fits_or_needs_none_is_not(store_folder: Path, free: pytest.MonkeyPatch) -> None:
    check_shared_memory(episode_data(store_folder, workers=2, batch=48), 8)
    nothing = episode_data(store_folder, workers=0, batch=48)
    nothing.size = 4096
    check_shared_memory(nothing, 8)
    assert episode_data(store_folder, workers=8, batch=48, on_device=True).shared_bytes == 0
