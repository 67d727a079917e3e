"""Episodes for Lightning, resumable to the very next one."""

import signal
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from headmime.data.episodes import EpisodeDataset, EpisodeSampler, to_floats
from headmime.data.resident import ResidentFrames
from headmime.data.store import Store
from headmime.errors import HeadmimeError

PREFETCHED = 2
"""Batches that each of a loader's processes keeps ready."""
STOPPING = 60
"""Seconds that a loader's process lives on after it was told to stop. Torchrun grants a run 30."""


class EpisodeData(pl.LightningDataModule):
    """Training episodes of a store, in batches of `batch` per process.

    `episodes` counts the episodes that training has consumed, over all processes and resumptions.
    It is saved in checkpoints, and training resumes with episode number `episodes`, whatever the
    number of workers or processes. Needs `Trainer(use_distributed_sampler=False)`.

    size: side of the images in pixels. side_at(n), if given, is the side in a training batch whose
    last episode is number n; the validation batch always has images of `size`.

    on_device: the frames of the store stay on the device, and the loader only draws numbers; the
    batches are the same.
    """

    def __init__(
        self,
        store: Path | str,
        *,
        sources: int,
        batch: int,
        workers: int,
        seed: int,
        size: int,
        mirror: float = 0.0,
        side_at: Callable[[int], int] | None = None,
        on_device: bool = False,
    ) -> None:
        super().__init__()
        self.store = Store(store)
        self.sources, self.batch, self.workers = sources, batch, workers
        self.seed, self.size, self.side_at = seed, size, side_at
        self.dataset = EpisodeDataset(self.store, sources, size, seed, mirror=mirror)
        self.resident = ResidentFrames(self.store, size, mirror > 0) if on_device else None
        self.sampler: EpisodeSampler | None = None
        self.episodes = 0

    @property
    def videos(self) -> int:
        """The number of videos in the store: rows of W."""
        return len(self.store.video_starts) - 1

    @property
    def detector(self) -> str:
        """Where the store's landmarks came from."""
        return self.store.detector

    @property
    def hash(self) -> str:
        """sha256 of the store's manifest."""
        return self.store.hash

    @property
    def shared_bytes(self) -> int:
        """Shared memory that a process's loader needs at most: K + 1 pictures and drawings of each
        episode, in the batches that its workers keep ready. Nothing to speak of, where the frames
        are on the device.
        """
        if self.resident:
            return 0
        episode = 2 * (self.sources + 1) * 3 * self.size**2
        return self.workers * PREFETCHED * self.batch * episode

    def train_dataloader(self) -> DataLoader:
        """Batches of episodes, their pictures uint8 until they are on the device."""
        self.sampler = EpisodeSampler(
            len(self.dataset),
            self.batch,
            start=self.episodes,
            rank=self.trainer.global_rank if self.trainer else 0,
            ranks=self.trainer.world_size if self.trainer else 1,
        )
        return _ResumableLoader(
            _Batches(self.dataset.sample if self.resident else self.dataset.batch, self.side_at),
            batch_sampler=self.sampler,
            collate_fn=_as_it_is,
            num_workers=self.workers,
            worker_init_fn=_begin_worker,
            prefetch_factor=PREFETCHED if self.workers > 0 else None,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            generator=torch.Generator(),  # its own: loaders leave the run's random state alone
        )

    def on_before_batch_transfer(
        self, batch: dict[str, Tensor], dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Count a batch when the training loop takes it; loaders have fetched others by then."""
        if self.trainer is not None and self.sampler is not None and self.trainer.training:
            self.episodes = self.sampler.start = self.sampler.after(batch["episode"])
        return batch

    def on_after_batch_transfer(
        self, batch: dict[str, Tensor], dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Bring the pictures to float32 in [-1, 1]."""
        return to_floats(self.resident.batch(batch) if self.resident else batch)

    @cached_property
    def held_out(self) -> EpisodeDataset | None:
        """Episodes of the split "test", never mirrored; None in a store without that split."""
        if not len(self.store.videos_in("test")):
            return None
        return EpisodeDataset(self.store, self.sources, self.size, self.seed, "test")

    def validation_batch(self, n: int) -> dict[str, Tensor]:
        """The same n episodes always, of the split "test" if there is one: float32 in [-1, 1],
        none of them mirrored.
        """
        dataset = self.held_out
        if dataset is None:
            dataset = EpisodeDataset(self.store, self.sources, self.size, self.seed)
        return default_collate([dataset[k] for k in range(n)])

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: the episodes consumed, and the store's hash."""
        return {"episodes": self.episodes, "store": self.hash}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue after a checkpoint; another store would mean other people by the same rows."""
        if state_dict["store"] != self.hash:
            raise HeadmimeError(
                f"The checkpoint was trained on another store than {self.store.folder} (its "
                "manifest differs): resume with the same store, or start anew with `init`."
            )
        self.episodes = state_dict["episodes"]


class _Batches(Dataset):
    """The dataset for a loader: whole batches at once, as `made` makes them of numbers and side."""

    def __init__(
        self,
        made: Callable[[list[int], int | None], dict[str, Any]],
        side_at: Callable[[int], int] | None,
    ) -> None:
        self.made, self.side_at = made, side_at

    def __getitems__(self, numbers: list[int]) -> dict[str, Tensor]:
        return self.made(numbers, self.side_at and self.side_at(numbers[-1]))


class _ResumableLoader(DataLoader):
    """Tells Lightning that it resumes in mid-epoch; what that needs is in EpisodeData's state."""

    def state_dict(self) -> dict:
        return {}

    def load_state_dict(self, state: dict) -> None:
        pass


def _as_it_is(batch: Any) -> Any:
    return batch


def _begin_worker(worker: int) -> None:
    """One thread; and go on when told to stop, as all processes of a run are by torchrun and SLURM:
    the run must not lose its loaders before it has kept its state.
    """
    cv2.setNumThreads(0)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.alarm(STOPPING))
