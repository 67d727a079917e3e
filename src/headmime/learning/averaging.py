"""Moving averages of E and G over the updates: an option, not in the paper."""

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
"""Of the episodes seen: the longest half-life (Karras et al. 2020, StyleGAN2-ADA)."""
ITERATIONS = 50
"""Power iterations of an averaged network: it is made seldom, so sigma can be nearer than in
training.
"""


class MovingAverages(pl.Callback):
    """What the weights were ``half_life`` episodes ago counts half of what they are now, whatever
    the batch; early in a run the half-life is RAMP times the episodes seen, so that the start is
    forgotten at once. Part of the run's state.
    """

    def __init__(self, half_life: int) -> None:
        self.half_life = half_life
        self.episodes = 0
        self.averages: list[Tensor] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        own = _parameters(pl_module.nets)
        kept = self.averages or [p.detach().clone() for p in own]
        self.averages = [a.to(p.device) for a, p in zip(kept, own, strict=True)]

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.update(pl_module.nets, episodes_seen(trainer))

    @torch.no_grad()
    def update(self, nets: Nets, episodes: int) -> None:
        """Take in the present weights, after ``episodes`` episodes of the run."""
        passed, self.episodes = episodes - self.episodes, episodes
        decay = 0.5 ** (passed / min(self.half_life, RAMP * episodes))
        get_ema_multi_avg_fn(decay)(self.averages, _parameters(nets), episodes)

    @torch.no_grad()
    def averaged(self, nets: Nets) -> Nets:
        """Return copies of E and G that hold the averages, and D as it is.

        Raw weights are averaged; sigma is that of the average, since u and v are iterated anew: an
        average of u would be no singular vector.
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
