"""What a resumed run needs beside weights and optimisers."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from headmime.errors import HeadmimeError


class Resumption(pl.Callback):
    """Keeps the random state, and where in the epoch a run with other batches goes on.

    Lightning counts an epoch's batches. A run that resumes with another number of processes, batch
    or `accumulate` has done the same share of its epoch, with another number of batches; the data
    module knows the very next episode.
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


def require_fitting(state: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    """Raise HeadmimeError unless a checkpoint's tensors have the names and shapes of ``own``."""
    there, here = ({name: list(t.shape) for name, t in d.items()} for d in (state, own))
    different = [n for n in here | there if here.get(n) != there.get(n)]
    if different:
        name = different[0]
        raise HeadmimeError(
            f"The state to go on from is of another model or store ({len(different)} tensors"
            f" differ: {name} is {there.get(name, 'missing')} there and"
            f" {here.get(name, 'missing')} here): give it the same `model` and `store`, or start"
            " anew without `ckpt` or in another folder (hydra.run.dir)."
        )


def _global_batch(trainer: pl.Trainer) -> int:
    """Episodes per update, over all processes."""
    data = trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]  (undeclared)
    return data.batch * trainer.world_size
