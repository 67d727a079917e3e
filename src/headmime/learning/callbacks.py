"""Outputs of a run: metrics, sample grids, checkpoints. Their axis is episodes, not optimiser
steps.
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

from headmime.files import write_atomically
from headmime.learning.distributed import require_equal
from headmime.learning.divergence_monitor import DivergenceMonitor
from headmime.learning.meta import MetaLearning
from headmime.pixels import to_uint8

log = logging.getLogger(__name__)


class PeriodicCallback(pl.Callback):
    """Calls :meth:`run` every ``every`` batches. Counted in batches, not minutes, so that all
    processes of a run do it at the same time; the count is part of the run's state.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._batches = 0

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """What the callback does; every subclass has one."""
        raise NotImplementedError

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any, **__: Any) -> None:
        self._batches += 1
        if self._batches % self.every == 0:
            self.run(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        return {"batches": self._batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._batches = state_dict["batches"]


class MetricLogger(PeriodicCallback):
    """Logs the diagnostics of ``monitor`` and images/s (target frames) every ``every`` batches, and
    stops a diverged run. ``monitor`` must precede it in the list of callbacks.
    """

    def __init__(self, every: int, monitor: DivergenceMonitor) -> None:
        super().__init__(every)
        self.monitor = monitor
        self._start = time.perf_counter()
        self._start_episodes = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start, self._start_episodes = time.perf_counter(), episodes_seen(trainer)

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """Log the means since the last call, check them, begin new ones."""
        now, episodes = time.perf_counter(), episodes_seen(trainer)
        diagnostics = self.monitor.diagnostics(module)
        rate = (episodes - self._start_episodes) / (now - self._start)
        metrics = diagnostics | {"images_per_s": rate}
        log_metrics(trainer, metrics, episodes)
        bar = trainer.progress_bar_metrics
        bar.update({name: metrics[name] for name in ("loss/cnt", "loss/dsc", "images_per_s")})
        self.monitor.raise_if_diverged(module, diagnostics, episodes)
        self.monitor.reset()
        self._start, self._start_episodes = now, episodes


class ProgressLines(pl.Callback):
    """Logs the progress of the run every ``seconds``: for runs without a terminal."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds
        self._last_line = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any, **__: Any) -> None:
        now = time.monotonic()
        if trainer.is_global_zero and now - self._last_line >= self.seconds:
            self._last_line = now
            metrics = {k: v for k, v in trainer.progress_bar_metrics.items() if k != "v_num"}
            log.info(
                "epoch %s of at most %s, %s episodes seen; %s",
                trainer.current_epoch + 1,
                trainer.max_epochs,
                f"{episodes_seen(trainer):,}",
                ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()),
            )


class SampleGridCallback(PeriodicCallback):
    """Writes a grid ``source | landmarks | target | output``, a row per episode of a fixed batch,
    every ``every`` batches and at the end.
    """

    def __init__(self, every: int, batch: dict[str, Tensor], folder: Path) -> None:
        super().__init__(every)
        self.batch, self.folder = batch, folder

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.run(trainer, pl_module)

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """Write the grid of the current weights; pass it to loggers that accept images."""
        if not trainer.is_global_zero:
            return
        grid = sample_grid(module, {name: t.to(module.device) for name, t in self.batch.items()})
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{episodes_seen(trainer):09d}.png"
        with write_atomically(file) as partial:  # cv2.imwrite is silent about a full disk
            partial.write_bytes(cv2.imencode(".png", grid[..., ::-1])[1].tobytes())
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("grid", grid, episodes_seen(trainer), dataformats="HWC")
            elif isinstance(logger, WandbLogger):
                logger.log_image("grid", [grid], caption=[f"{episodes_seen(trainer)} episodes"])


class CheckpointCallback(PeriodicCallback):
    """Saves the training state (to resume from) and the networks every ``every`` batches and at the
    end, unless ``monitor`` finds that the run has diverged.
    """

    def __init__(
        self,
        every: int,
        state: Path,
        export: Callable[[MetaLearning, int], None],
        monitor: DivergenceMonitor,
    ) -> None:
        super().__init__(every)
        self.state, self.export, self.monitor = state, export, monitor

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.run(trainer, pl_module)

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """Write state and networks; called on all processes at once. HeadmimeError if their weights
        differ or the run has diverged. The state needs `AtomicCheckpointIO`.
        """
        episode = episodes_seen(trainer)
        self.monitor.check(module, episode)
        require_equal(
            {name: t for name, t in module.state_dict().items() if not name.endswith((".u", ".v"))},
            f"one of them computes or sums wrong values. Nothing was saved at episode {episode};"
            f" ckpt={self.state} resumes from the last state in which they were equal.",
        )
        if trainer.is_global_zero:  # first: a run with a final state is not exported again
            self.export(module, episode)
        trainer.save_checkpoint(self.state)


def episodes_seen(trainer: pl.Trainer) -> int:
    """Number of episodes the run has trained on, over all processes and resumptions."""
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


def log_metrics(trainer: pl.Trainer, values: dict[str, float], step: int) -> None:
    """Pass ``values`` at ``step`` episodes to every logger."""
    for logger in trainer.loggers:
        logger.log_metrics(values, step=step)
        logger.save()
