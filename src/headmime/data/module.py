"""Lightning data module of episodes, resumable at the exact next episode."""

import math
import shutil
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
from headmime.errors import HeadmimeError, user_error

Batch = dict[str, Tensor]
PREFETCHED = 2
"""Batches prefetched by each loader worker."""
SHARED_MEMORY = Path("/dev/shm")
"""Used by torch on Linux; small in containers by default."""
STOPPING = 60
"""Seconds between SIGTERM and the exit of a loader worker. Torchrun kills a run after 30."""


class EpisodeData(pl.LightningDataModule):
    """Training episodes of a store, in batches of `batch` per process.

    `episodes` counts the consumed episodes over all processes and resumptions. It is saved in
    checkpoints, and training resumes with episode number `episodes` for any number of workers or
    processes. Requires `Trainer(use_distributed_sampler=False)`.

    size: side of the images in pixels. side_at(n), if given: the side of a training batch whose
    last episode is number n; the validation batch always has `size`.

    on_device: keep the store's frames on the device, with the same batches.
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
        """Number of videos of the store, rows of W."""
        return len(self.store.video_starts) - 1

    @property
    def detector(self) -> str:
        """The detector of the store's landmarks."""
        return self.store.detector

    @property
    def hash(self) -> str:
        """sha256 of the store's manifest."""
        return self.store.hash

    @property
    def shared_bytes(self) -> int:
        """Most shared memory that the loader of a process needs: K + 1 images and drawings per
        episode of the prefetched batches; 0 (negligible) with frames on the device.
        """
        if self.resident:
            return 0
        episode = 2 * (self.sources + 1) * 3 * self.size**2
        return self.workers * PREFETCHED * self.batch * episode

    def train_dataloader(self) -> DataLoader:
        """Loader of episode batches with uint8 images, converted to float on the device."""
        self.sampler = EpisodeSampler(
            len(self.dataset),
            self.batch,
            start=self.episodes,
            rank=self.trainer.global_rank if self.trainer else 0,
            ranks=self.trainer.world_size if self.trainer else 1,
        )
        make_batch = self.dataset.sample if self.resident else self.dataset.batch
        return _ResumableLoader(
            _BatchDataset(make_batch, self.side_at),
            sampler=self.sampler,
            batch_size=None,  # an item is a whole batch
            num_workers=self.workers,
            worker_init_fn=_init_worker,
            prefetch_factor=PREFETCHED if self.workers > 0 else None,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
            generator=torch.Generator(),  # separate: the loader does not advance the global state
        )

    def on_before_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Count a batch when the training loop takes it, not when a worker prefetches it."""
        if self.trainer is not None and self.sampler is not None and self.trainer.training:
            self.episodes = self.sampler.start = self.sampler.after(batch["episode"])
        return batch

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Convert the images to float32 in [-1, 1]."""
        return to_floats(self.resident.batch(batch) if self.resident else batch)

    @cached_property
    def held_out(self) -> EpisodeDataset | None:
        """Episodes of the split "test", not mirrored; None if the store lacks that split."""
        if not len(self.store.videos_in("test")):
            return None
        return EpisodeDataset(self.store, self.sources, self.size, self.seed, "test")

    def validation_batch(self, n: int) -> dict[str, Tensor]:
        """The first n episodes of the split "test", or "train" if it is missing, not mirrored:
        float32 in [-1, 1].
        """
        dataset = self.held_out
        if dataset is None:
            dataset = EpisodeDataset(self.store, self.sources, self.size, self.seed)
        return default_collate([dataset[k] for k in range(n)])

    def state_dict(self) -> dict[str, Any]:
        """State for checkpoints: the number of consumed episodes and the store's hash."""
        return {"episodes": self.episodes, "store": self.hash}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a checkpoint; HeadmimeError for another store, whose rows of W differ."""
        if state_dict["store"] != self.hash:
            raise HeadmimeError(
                f"The checkpoint was trained on another store than {self.store.folder} (its "
                "manifest differs): resume with the same store, or start anew with `init`."
            )
        self.episodes = state_dict["episodes"]


def check_shared_memory(data: EpisodeData, processes: int) -> None:
    """Raise HeadmimeError if there is less than the loaders of `processes` on this machine need;
    they would be killed by SIGBUS, without a message.
    """
    needed = processes * data.shared_bytes
    if not needed or not SHARED_MEMORY.is_dir():
        return
    free = shutil.disk_usage(SHARED_MEMORY).free
    if needed > free:
        raise HeadmimeError(
            f"The loaders fill {needed / 1e9:.2g} GB of shared memory (processes {processes} x "
            f"workers {data.workers} x {PREFETCHED} batches of {data.batch} episodes), and "
            f"{SHARED_MEMORY} has {free / 1e9:.2g} GB free: start the container with "
            f"--shm-size={math.ceil(needed / 1e9) + 1}g, or choose fewer workers (workers=0 needs "
            "none) or a smaller batch."
        )


class _BatchDataset(Dataset):
    """Dataset of whole batches: make_batch(episode numbers, side)."""

    def __init__(
        self, make_batch: Callable[..., dict[str, Any]], side_at: Callable[[int], int] | None
    ) -> None:
        self.make_batch, self.side_at = make_batch, side_at

    def __getitem__(self, numbers: list[int]) -> dict[str, Tensor]:
        try:
            return self.make_batch(numbers, self.side_at and self.side_at(numbers[-1]))
        except OSError as error:  # torch repeats only the name and the message of an error
            raise user_error(error) or error from error


class _ResumableLoader(DataLoader):
    """Declares to Lightning that it resumes mid-epoch; the state is in EpisodeData."""

    def state_dict(self) -> dict:
        return {}

    def load_state_dict(self, state: dict) -> None:
        pass


def _init_worker(worker: int) -> None:
    """Use one thread, and delay termination: torchrun and SLURM signal all processes of a run, and
    the workers must outlive the saving of its state.
    """
    cv2.setNumThreads(0)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.alarm(STOPPING))
