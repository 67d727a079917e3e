"""Random state and position in the epoch of a resumed run."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from headmime.errors import HeadmimeError


class Resumption(pl.Callback):
    """Saves and restores the random state, and converts the position in the epoch.

    Lightning counts batches of an epoch. A run resumed with another number of processes, batch size
    or `accumulate` has completed the same share of the epoch in another number of batches; the data
    module stores the next episode.
    """

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["global_batch"] = _global_batch(trainer)
        checkpoint["random"] = torch.get_rng_state()
        checkpoint["random_cuda"] = torch.cuda.get_rng_state_all()

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        torch.set_rng_state(checkpoint["random"])
        devices = checkpoint["random_cuda"]
        if len(devices) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(devices)
        then, now = checkpoint["global_batch"], _global_batch(trainer)
        if then != now:
            fit = checkpoint["loops"]["fit_loop"]
            position = fit["epoch_loop.batch_progress"]["current"]
            unfinished = position["ready"] - position["completed"]
            done = position["ready"] * then // now
            position |= {"ready": done, "started": done, "processed": done}
            position["completed"] = done - unfinished


def require_same_shapes(state: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    """Raise HeadmimeError unless a checkpoint's tensors have the names and shapes of ``own``."""
    saved, current = ({name: list(t.shape) for name, t in d.items()} for d in (state, own))
    different = [n for n in current | saved if current.get(n) != saved.get(n)]
    if different:
        name = different[0]
        raise HeadmimeError(
            f"The state to resume from is of another model or store ({len(different)} tensors"
            f" differ: {name} is {saved.get(name, 'missing')} there and"
            f" {current.get(name, 'missing')} here): set the same `model` and `store`, or start"
            " anew without `ckpt` or in another folder (hydra.run.dir)."
        )


def _global_batch(trainer: pl.Trainer) -> int:
    """Episodes per update, over all processes."""
    data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]  (undeclared)
    return data.batch * trainer.world_size
