"""What a run leaves behind: curves, sample grids, weights. Their axis is episodes seen, not
optimiser steps.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger
from torch import Tensor

from headmime.learning.distributed import require_equal
from headmime.learning.divergence_monitor import DivergenceMonitor
from headmime.learning.meta import MetaLearning
from headmime.pixels import to_uint8

log = logging.getLogger(__name__)


class PeriodicCallback(pl.Callback):
    """Calls `run` every ``every`` batches. Batches and not minutes, so that all processes of a run
    do it at the same time; how many there were is part of the run's state.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._batches = 0

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """What there is to do."""
        raise NotImplementedError

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._batches += 1
        if self._batches % self.every == 0:
            self.run(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        return {"batches": self._batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._batches = state_dict["batches"]


class MetricLogger(PeriodicCallback):
    """Logs what ``watch`` has seen every ``every`` batches, with images/s (targets trained on), and
    has it judge the run. ``watch`` comes before it among the callbacks.
    """

    def __init__(self, every: int, watch: DivergenceMonitor) -> None:
        super().__init__(every)
        self.watch = watch
        self._since = time.perf_counter()
        self._seen = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since, self._seen = time.perf_counter(), episodes_seen(trainer)

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """Log, judge, and begin new averages."""
        now, seen = time.perf_counter(), episodes_seen(trainer)
        readings = self.watch.diagnostics(module)
        means = readings | {"images_per_s": (seen - self._seen) / (now - self._since)}
        log_curves(trainer, means, seen)
        bar = trainer.progress_bar_metrics
        bar.update({name: means[name] for name in ("loss/cnt", "loss/dsc", "images_per_s")})
        self.watch.judge(module, readings, seen)
        self.watch.reset()
        self._since, self._seen = now, seen


class ProgressLines(pl.Callback):
    """Logs every ``seconds`` how far the run is: for runs without a terminal and its bar."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds
        self._said = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.monotonic()
        if trainer.is_global_zero and now - self._said >= self.seconds:
            self._said = now
            means = {k: v for k, v in trainer.progress_bar_metrics.items() if k != "v_num"}
            log.info(
                "epoch %s of at most %s, %s episodes seen; %s",
                trainer.current_epoch + 1,
                trainer.max_epochs,
                f"{episodes_seen(trainer):,}",
                ", ".join(f"{name} {value:.4g}" for name, value in means.items()),
            )


class SampleGridCallback(PeriodicCallback):
    """Draws ``source | landmarks | target | output``, a row for each episode of a fixed batch,
    every ``every`` batches.
    """

    def __init__(self, every: int, batch: dict[str, Tensor], folder: Path) -> None:
        super().__init__(every)
        self.batch, self.folder = batch, folder

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.run(trainer, pl_module)

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """Write the picture for the present weights; hand it to loggers that take pictures."""
        if not trainer.is_global_zero:
            return
        grid = sample_grid(module, {name: t.to(module.device) for name, t in self.batch.items()})
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{episodes_seen(trainer):09d}.png"
        cv2.imwrite(str(file), grid[..., ::-1])
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("grid", grid, episodes_seen(trainer), dataformats="HWC")
            elif isinstance(logger, WandbLogger):
                logger.log_image("grid", [grid], caption=[f"{episodes_seen(trainer)} episodes"])


class CheckpointCallback(PeriodicCallback):
    """Every ``every`` batches and at the end: the whole state, to resume from, and the networks,
    unless ``watch`` finds that they are past saving.
    """

    def __init__(
        self,
        every: int,
        state: Path,
        export: Callable[[MetaLearning, int], None],
        watch: DivergenceMonitor,
    ) -> None:
        super().__init__(every)
        self.state, self.export, self.watch = state, export, watch

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.run(trainer, pl_module)

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """Write both, on all processes at once and unless they differ; the state needs
        `AtomicCheckpointIO`.
        """
        episode = episodes_seen(trainer)
        self.watch.check(module, episode)
        require_equal(
            {name: t for name, t in module.state_dict().items() if not name.endswith((".u", ".v"))},
            f"something computes or sums wrongly on one of them. Nothing was kept at episode"
            f" {episode}; ckpt={self.state} goes on from where they were equal last.",
        )
        if trainer.is_global_zero:  # first: a run whose last state is complete has nothing to do
            self.export(module, episode)
        trainer.save_checkpoint(self.state)


def episodes_seen(trainer: pl.Trainer) -> int:
    """Episodes that the run has trained on, over all processes and resumptions."""
    data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]  (undeclared)
    return data.episodes


def sample_grid(module: MetaLearning, batch: dict[str, Tensor]) -> np.ndarray:
    """Return uint8 [rows * S, 4 * S, 3]: first source, landmarks, target and output of every
    episode of ``batch``.
    """
    E, G, _ = module.nets
    with torch.no_grad():
        x_hat = G(batch["y_t"], G.project(E(batch["x_s"], batch["y_s"])))
    columns = [batch["x_s"][:, 0], batch["y_t"], batch["x_t"], x_hat]
    return np.concatenate([np.concatenate(to_uint8(c), 0) for c in columns], 1)


def log_curves(trainer: pl.Trainer, values: dict[str, float], step: int) -> None:
    """Hand values at ``step`` episodes to every logger."""
    for logger in trainer.loggers:
        logger.log_metrics(values, step=step)
        logger.save()
