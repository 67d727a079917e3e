"""Moving averages of E and G over the updates: an option, not in the paper."""

from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from headmime.learning.meta import MetaLearning
from headmime.nets import Nets
from headmime.nets.spectral import power_iterate

ITERATIONS = 50
"""Power iterations of an averaged network: it is made seldom, so sigma can be nearer than in
training.
"""


class Averages(pl.Callback):
    """After update n the averages are d * averages + (1 - d) * weights with d = min(``decay``, (1 +
    n) / (10 + n)), so that the start is forgotten at once. Part of the run's state.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.averages: list[Tensor] = []

    def on_fit_start(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        own = _parameters(module.nets)
        kept = self.averages or [p.detach().clone() for p in own]
        self.averages = [a.to(p.device) for a, p in zip(kept, own, strict=True)]

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: MetaLearning, outputs: Any, batch: Any, _: int
    ) -> None:
        self.update(module.nets)

    @torch.no_grad()
    def update(self, nets: Nets) -> None:
        """Take in the present weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        get_ema_multi_avg_fn(decay)(self.averages, _parameters(nets), self.updates)

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
        return {"updates": self.updates, "averages": self.averages}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.updates, self.averages = state["updates"], state["averages"]


def _parameters(nets: Nets) -> list[nn.Parameter]:
    return [*nets.embedder.parameters(), *nets.generator.parameters()]
