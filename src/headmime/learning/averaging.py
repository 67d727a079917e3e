"""Exponential moving averages of E's and G's weights: an option, not in the paper."""

from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from headmime.learning.callbacks import episodes_seen
from headmime.nets import Nets
from headmime.nets.spectral import power_iterate

RAMP = 0.05
"""Upper bound of the half-life, as a share of the episodes seen (Karras et al. 2020,
StyleGAN2-ADA).
"""
ITERATIONS = 50
"""Power iterations of an averaged network: it is computed rarely, so sigma can be more exact than
in training.
"""


class MovingAverages(pl.Callback):
    """Averages of E's and G's weights with a half-life of ``half_life`` episodes, independent of
    the batch size; early in a run it is RAMP times the episodes seen, which discards the initial
    weights quickly. Part of the run's state.
    """

    def __init__(self, half_life: int) -> None:
        self.half_life = half_life
        self.episodes = 0
        self.averages: list[Tensor] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        parameters = _parameters(pl_module.nets)
        averages = self.averages or [p.detach().clone() for p in parameters]
        self.averages = [a.to(p.device) for a, p in zip(averages, parameters, strict=True)]

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: Any, **__: Any) -> None:
        self.update(pl_module.nets, episodes_seen(trainer))

    @torch.no_grad()
    def update(self, nets: Nets, episodes: int) -> None:
        """Add the current weights, after ``episodes`` episodes of the run."""
        elapsed, self.episodes = episodes - self.episodes, episodes
        decay = 0.5 ** (elapsed / min(self.half_life, RAMP * episodes))
        get_ema_multi_avg_fn(decay)(self.averages, _parameters(nets), episodes)

    @torch.no_grad()
    def averaged_nets(self, nets: Nets) -> Nets:
        """Return copies of E and G with the averaged weights, and D itself.

        Raw weights are averaged; u and v are recomputed for the averaged weight, since an average
        of singular vectors is not a singular vector.
        """
        E, G = deepcopy(nets.embedder), deepcopy(nets.generator)
        averaged = Nets(E, G, nets.discriminator)
        for parameter, average in zip(_parameters(averaged), self.averages, strict=True):
            parameter.copy_(average)
        for _ in range(ITERATIONS):
            power_iterate(E)
            power_iterate(G)
        return averaged

    def state_dict(self) -> dict[str, Any]:
        return {"episodes": self.episodes, "averages": self.averages}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.episodes, self.averages = state_dict["episodes"], state_dict["averages"]


def _parameters(nets: Nets) -> list[Tensor]:
    return [*nets.embedder.parameters(), *nets.generator.parameters()]
