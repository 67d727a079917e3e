"""Initial stages with smaller images and other learning rates (an option, not in the paper).

Stages are counted in episodes: independent of batch size and number of processes, and a resumed run
continues in its stage.
"""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from headmime.learning.callbacks import episodes_seen
from headmime.learning.settings import Stage
from headmime.nets import Nets


def stage_at(stages: Sequence[Stage], episode: int) -> Stage | None:
    """The stage of episode number ``episode`` (from 0); None after the last stage."""
    end = 0
    for stage in stages:
        end += stage.episodes
        if episode < end:
            return stage
    return None


def side_at(stages: Sequence[Stage], size: int, episode: int) -> int:
    """The side in pixels of an episode's images; ``size`` after the last stage."""
    stage = stage_at(stages, episode)
    return size if stage is None else stage.side


def rate_at(stages: Sequence[Stage], warmup: int, episode: int) -> float:
    """The factor on all learning rates at an episode: its stage's rate times a linear warm-up over
    the run's first ``warmup`` episodes.
    """
    stage = stage_at(stages, episode)
    return (1.0 if stage is None else stage.rate) * min(1.0, (episode + 1) / max(warmup, 1))


class Curriculum(pl.Callback):
    """Sets the learning rates before each update, and rescales the sums over space of networks for
    ``size`` pixels at the smaller sides of ``stages``. The data module makes the images.

    ``new_layers_first``: episodes in which only the layers without weights from ``init`` train.
    """

    def __init__(
        self, stages: Sequence[Stage], size: int, warmup: int, new_layers_first: int
    ) -> None:
        self.stages, self.size = stages, size
        self.warmup, self.new_layers_first = warmup, new_layers_first

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        keep_magnitude(pl_module.nets, self.size)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, *_: Any, **__: Any) -> None:
        episode = episodes_seen(trainer) - 1  # the last of this update
        rate = rate_at(self.stages, self.warmup, episode)
        pl_module.set_rates(rate, inherited=0.0 if episode < self.new_layers_first else rate)


def keep_magnitude(nets: Nets, size: int) -> None:
    """Register hooks that multiply E's embeddings and D's V by (size / side of the images)^2.

    Both are sums over space: without the factor, the inputs of P, W and w0 would quadruple when the
    side doubles.
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
