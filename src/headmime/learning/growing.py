"""A run may begin with smaller pictures (an option; off in the paper's settings)."""

from typing import Any

import pytorch_lightning as pl
from torch import Tensor
from torch.nn import functional as F

from headmime.learning.callbacks import episodes_seen
from headmime.learning.meta import MetaLearning
from headmime.nets import Nets


class Growing(pl.Callback):
    """Has the networks, made for ``size`` pixels, train at ``side`` while a step's episodes are
    all among the first ``episodes`` of the run: the same steps in every process, and in a resumed
    run.
    """

    def __init__(self, side: int, episodes: int, size: int) -> None:
        self.side, self.episodes, self.size = side, episodes, size

    def on_fit_start(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        keep_magnitude(module.nets, self.size)

    def on_train_batch_start(
        self, trainer: pl.Trainer, module: MetaLearning, batch: dict[str, Tensor], _: int
    ) -> None:
        if episodes_seen(trainer) <= self.episodes:
            batch.update(shrunk(batch, self.side))


def shrunk(batch: dict[str, Tensor], side: int) -> dict[str, Tensor]:
    """Return a batch's pictures x and drawings y [..., 3, S, S] as [..., 3, side, side]; S is a
    multiple of side. All else stays out: the strips of eyes and mouth are no pixels' coordinates.
    """
    scale = batch["x_t"].shape[-1] // side
    # The mean would leave a line of one pixel half as bright; the maximum of lines on black is
    # nearly what would be drawn at this side.
    pools = {"x_s": F.avg_pool2d, "x_t": F.avg_pool2d, "y_s": F.max_pool2d, "y_t": F.max_pool2d}
    return {
        name: pool(batch[name].flatten(0, -4), scale).unflatten(0, batch[name].shape[:-3])
        for name, pool in pools.items()
    }


def keep_magnitude(nets: Nets, size: int) -> None:
    """From now on E's embeddings and D's V are multiplied by how many times fewer pixels than
    size x size the pictures have.

    Both are sums over space. What is learnt to go with them, P, W and w0, would otherwise meet four
    times the numbers when the pictures' side doubles.
    """

    def embedding(_: Any, inputs: tuple[Tensor, ...], e_hat: Tensor) -> Tensor:
        return e_hat * (size / inputs[0].shape[-1]) ** 2

    def v_and_features(
        _: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, list[Tensor]]
    ) -> tuple[Tensor, list[Tensor]]:
        v, features = output
        return v * (size / inputs[0].shape[-1]) ** 2, features

    nets.embedder.register_forward_hook(embedding)
    nets.discriminator.v.register_forward_hook(v_and_features)
