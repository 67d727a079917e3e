"""A run that is told to stop (pre-emption, time limit, `kill`) keeps its state first."""

import signal
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist

from headmime.learning.callbacks import CheckpointCallback
from headmime.learning.distributed import world_size

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


class Interruption(pl.Callback):
    """On SIGTERM, SIGUSR1 or SIGUSR2, to any process: finish the batch, keep the state, leave.

    Leaving is exit code 128 + signal; where somebody handled the signal before (submitit requeues
    its job on SIGUSR2, and only notes SIGTERM), that is left to them. Make it after they did, in
    the main thread.
    """

    def __init__(self, keep: CheckpointCallback) -> None:
        self.keep = keep
        self._handlers = {number: signal.getsignal(number) for number in SIGNALS}
        self._told = 0
        self._group: dist.ProcessGroup | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if world_size() > 1:
            group = dist.new_group(backend="gloo")
            assert isinstance(group, dist.ProcessGroup)  # else this process would be outside of it
            self._group = group
        for number in SIGNALS:
            signal.signal(number, self._remember)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        number = self._agreed()
        if number:
            self._told = 0
            self.keep.run(trainer, pl_module)
            self._leave(signal.Signals(number))

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _remember(self, number: int, _: Any) -> None:
        self._told = number

    def _agreed(self) -> int:
        """The signal that some process got, on all of them: they must stop at the same batch.

        On the CPU, so that no process waits for its device.
        """
        told = torch.tensor(self._told)
        if world_size() > 1:
            dist.all_reduce(told, dist.ReduceOp.MAX, group=self._group)
        return int(told)

    def _leave(self, number: signal.Signals) -> None:
        handler = self._handlers[number]
        if callable(handler):
            handler(number, None)
            if number == signal.SIGTERM:
                return
        raise SystemExit(128 + number)
