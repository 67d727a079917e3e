"""Training data in Lightning: every episode once, also when a run is stopped and resumed."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from headmime.data.module import EpisodeData
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.errors import HeadmimeError

BATCH = 3
EPOCH = 4 * BATCH  # Lightning's: 14 training videos make 4 whole batches


class Recorder(pl.LightningModule):
    """Manual optimisation, several optimiser steps a batch; notes the episodes it was given."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.stop_after = stop_after
        self.seen: list[int] = []

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def training_step(self, batch: dict[str, torch.Tensor], _: int) -> None:
        if self.stop_after == len(self.seen) // BATCH:
            raise KeyboardInterrupt
        self.seen += batch["episode"].tolist()
        assert batch["x_s"].dtype == torch.float32 and batch["x_s"].abs().max() <= 1
        for _ in range(3):
            self.optimizers().zero_grad()
            self.manual_backward(self.weight * batch["x_t"].mean())
            self.optimizers().step()


def episode_data(
    store: Path, workers: int = 0, batch: int = BATCH, on_device: bool = False
) -> EpisodeData:
    return EpisodeData(
        store, sources=2, batch=batch, workers=workers, seed=0, size=16, on_device=on_device
    )


def run(
    module: Recorder,
    data: EpisodeData,
    folder: Path,
    *,
    epochs: int = 3,
    resume: str | None = None,
) -> list[int]:
    """Save a state after every batch, every epoch and at the end; return the episodes seen."""
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[EveryBatch(folder / "batch.ckpt"), EveryEpoch(folder / "epoch.ckpt")],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    try:
        trainer.fit(module, datamodule=data, ckpt_path=folder / resume if resume else None)
        trainer.save_checkpoint(folder / "end.ckpt")
    except (KeyboardInterrupt, SystemExit):
        assert module.stop_after is not None
    return module.seen


class EveryBatch(pl.Callback):
    """Saves as ModelCheckpoint does with `every_n_train_steps` or `train_time_interval`."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        trainer.save_checkpoint(self.file)


class EveryEpoch(EveryBatch):
    """Saves as ModelCheckpoint does at the end of an epoch."""

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        pass

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: object) -> None:
        trainer.save_checkpoint(self.file)


@pytest.mark.parametrize("stop_after", [1, 3, 4, 5, 8, 11])
def test_a_resumed_run_continues_with_the_very_next_episode(
    store_folder: Path, tmp_path: Path, stop_after: int
):
    before = run(Recorder(stop_after), episode_data(store_folder), tmp_path)
    assert before == list(range(BATCH * stop_after))
    after = run(Recorder(), episode_data(store_folder), tmp_path, resume="batch.ckpt")
    assert before + after == list(range(3 * EPOCH))


def test_stopped_twice(store_folder: Path, tmp_path: Path):
    seen = run(Recorder(5), episode_data(store_folder), tmp_path)
    seen += run(Recorder(2), episode_data(store_folder), tmp_path, resume="batch.ckpt")
    seen += run(Recorder(), episode_data(store_folder), tmp_path, resume="batch.ckpt")
    assert seen == list(range(3 * EPOCH))


def test_prefetched_episodes_do_not_count_as_seen(store_folder: Path, tmp_path: Path):
    """Workers are ahead of training by several batches; their number may change."""
    before = run(Recorder(6), episode_data(store_folder, workers=2), tmp_path)
    after = run(Recorder(), episode_data(store_folder, workers=1), tmp_path, resume="batch.ckpt")
    assert before + after == list(range(3 * EPOCH))


def test_frames_that_stay_on_the_device_change_nothing_about_resuming(
    store_folder: Path, tmp_path: Path
):
    seen = run(Recorder(6), episode_data(store_folder, on_device=True), tmp_path)
    seen += run(Recorder(3), episode_data(store_folder), tmp_path, resume="batch.ckpt")
    last = episode_data(store_folder, on_device=True)
    seen += run(Recorder(), last, tmp_path, resume="batch.ckpt")
    assert seen == list(range(3 * EPOCH))


def test_resuming_from_the_end_of_an_epoch(store_folder: Path, tmp_path: Path):
    run(Recorder(6), episode_data(store_folder), tmp_path)
    after = run(Recorder(), episode_data(store_folder), tmp_path, resume="epoch.ckpt")
    assert after == list(range(EPOCH, 3 * EPOCH))


def test_a_finished_run_goes_on_if_it_is_given_more_epochs(store_folder: Path, tmp_path: Path):
    before = run(Recorder(), episode_data(store_folder), tmp_path, epochs=1)
    data = episode_data(store_folder)
    after = run(Recorder(), data, tmp_path, epochs=3, resume="end.ckpt")
    assert before + after == list(range(3 * EPOCH))
    assert data.episodes == 3 * EPOCH


def test_resuming_with_another_batch_continues_the_same_stream(store_folder: Path, tmp_path: Path):
    run(Recorder(5), episode_data(store_folder), tmp_path)
    after = run(Recorder(), episode_data(store_folder, batch=2), tmp_path, resume="batch.ckpt")
    assert after == list(range(5 * BATCH, 5 * BATCH + len(after)))


def test_another_store_is_refused(
    store_folder: Path, tmp_path: Path, clip: Callable[..., ClipFrames]
):
    run(Recorder(1), episode_data(store_folder), tmp_path)
    write_shard(tmp_path / "other", 0, [clip(person, 0, 0) for person in range(1, 9)])
    finish_store(tmp_path / "other")
    with pytest.raises(HeadmimeError, match="another store"):
        run(Recorder(), episode_data(tmp_path / "other"), tmp_path, resume="batch.ckpt")


def test_facts_of_the_store(store_folder: Path):
    data = episode_data(store_folder)
    assert data.videos == 16
    assert data.detector == "dlib"
    assert data.hash == hashlib.sha256((store_folder / "manifest.json").read_bytes()).hexdigest()


def test_validation_batch_is_fixed_and_of_the_test_split(store_folder: Path):
    batch = episode_data(store_folder).validation_batch(3)
    again = episode_data(store_folder, workers=2, batch=2).validation_batch(3)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert set(batch["row"].tolist()) == {0, 1}  # the videos of person 0
    assert batch["x_s"].shape == (3, 2, 3, 16, 16) and batch["x_t"].dtype == torch.float32


def test_training_is_mirrored_and_validation_is_not(store_folder: Path):
    data = EpisodeData(store_folder, sources=2, batch=3, workers=0, seed=0, size=16, mirror=1.0)
    plain = episode_data(store_folder)
    mirrored, as_it_is = (next(iter(d.train_dataloader())) for d in (data, plain))
    assert not torch.equal(mirrored["y_t"], as_it_is["y_t"])
    mirrored, as_it_is = (d.validation_batch(3) for d in (data, plain))
    assert all(torch.equal(mirrored[name], as_it_is[name]) for name in as_it_is)


def test_a_batch_has_the_side_of_its_last_episode(store_folder: Path) -> None:
    """Whatever the stage, the same frames; the validation batch keeps its size."""
    sides = {2: 8, 5: 16}
    plain, staged = (
        EpisodeData(
            store_folder, sources=2, batch=BATCH, workers=0, seed=0, size=16, side_at=side_at
        )
        for side_at in (None, sides.__getitem__)
    )
    batches = iter(staged.train_dataloader())
    for full in list(plain.train_dataloader())[:2]:
        batch, last = next(batches), int(full["episode"][-1])
        for name in ("x_s", "y_s", "x_t", "y_t"):
            assert batch[name].shape[-2:] == (sides[last], sides[last])
        assert all(torch.equal(batch[name], full[name]) for name in ("row", "strips_t"))
    assert staged.validation_batch(2)["x_t"].shape[-1] == 16
