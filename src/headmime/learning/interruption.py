"""Saves the state of a run that receives a signal to stop (pre-emption, time limit, `kill`)."""

import signal
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist

from headmime.learning.callbacks import CheckpointCallback
from headmime.learning.distributed import world_size

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


class Interruption(pl.Callback):
    """On SIGTERM, SIGUSR1 or SIGUSR2 to any process: finish the batch, save the state, exit.

    Calls the previous signal handler if there is one (submitit requeues its job on SIGUSR2 and only
    logs SIGTERM), then exits with code 128 + signal; after a previous handler of SIGTERM the run
    continues. Construct it after such handlers are installed, in the main thread.
    """

    def __init__(self, checkpoints: CheckpointCallback) -> None:
        self.checkpoints = checkpoints
        self._handlers = {number: signal.getsignal(number) for number in SIGNALS}
        self._signal = 0
        self._group: dist.ProcessGroup | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if world_size() > 1:
            group = dist.new_group(backend="gloo")
            assert isinstance(group, dist.ProcessGroup)  # else this process would be outside of it
            self._group = group
        for number in SIGNALS:
            signal.signal(number, self._remember)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any, **__: Any) -> None:
        number = self._agree()
        if number:
            self._signal = 0
            self.checkpoints.run(trainer, pl_module)
            self._exit(signal.Signals(number))

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _remember(self, number: int, _: Any) -> None:
        self._signal = number

    def _agree(self) -> int:
        """The signal received by any process (0: none), so that all stop at the same batch.

        Reduced on the CPU, to avoid synchronising with the device.
        """
        number = torch.tensor(self._signal)
        if world_size() > 1:
            dist.all_reduce(number, dist.ReduceOp.MAX, group=self._group)
        return int(number)

    def _exit(self, number: signal.Signals) -> None:
        handler = self._handlers[number]
        if callable(handler):
            handler(number, None)
            if number == signal.SIGTERM:
                return
        raise SystemExit(128 + number)
