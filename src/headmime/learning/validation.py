"""Validation on held-out people, and saving of the best weights."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from headmime.data.episodes import EpisodeDataset, to_floats
from headmime.learning.callbacks import PeriodicCallback, episodes_seen, log_metrics
from headmime.learning.closeup import closeup_loss
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import IDEAL, LossWeights, validation_terms
from headmime.losses import content_loss, pixel_loss
from headmime.nets import Nets
from headmime.nets.spectral import normalised_once
from headmime.pixels import grey_sharpness, to_uint8
from headmime.pretrained.frozen import Frozen


@torch.no_grad()
def compute_validation_terms(
    nets: Nets, batches: Iterable[dict[str, Tensor]], perceptual: Frozen, weights: LossWeights
) -> dict[str, float]:
    """Compare G(y_t, P E(x_s, y_s)) with x_t, images float [-1, 1]; return the validation terms.

    ``val/cnt``, ``val/pix``, ``val/near``: the unweighted content, pixel and close-up losses, means
    over episodes. ``val/sharpness``: median `grey_sharpness` of the outputs over that of the
    targets (NaN if the targets are flat).
    """
    E, G, _ = nets
    means, sizes = [], []
    sharpness: dict[str, list[float]] = {"output": [], "target": []}
    with normalised_once(E), normalised_once(G):
        for batch in batches:
            x, y = batch["x_t"], batch["y_t"]
            x_hat = G(y, G.project(E(batch["x_s"], batch["y_s"])))
            terms = [content_loss(perceptual(x_hat), perceptual(x)), pixel_loss(x_hat, x)]
            if weights.closeup:
                terms.append(closeup_loss(x_hat, x, batch["strips_t"], perceptual, weights))
            means.append([term.item() for term in terms])
            sizes.append(len(x))
            for name, images in (("output", x_hat), ("target", x)):
                sharpness[name] += [grey_sharpness(image) for image in to_uint8(images)]
    output, target = (float(np.median(values)) for values in sharpness.values())
    values = [*np.average(means, 0, sizes).tolist(), output / target if target else math.nan]
    return dict(zip(validation_terms(weights), values, strict=True))


class Validation(PeriodicCallback):
    """Every ``every`` batches and at the end: logs `compute_validation_terms` on the first
    ``episodes`` of ``held_out``, ``batch`` at a time, for export(networks in training), and the
    duration ``val/seconds``. When the term ``keep_best`` is closer to its ideal than before, calls
    ``save`` with these networks and their origin. The best distance is part of the run's state.

    ``held_out`` has the model's full size, also in stages with smaller images. Only process 0
    validates, without collectives: the others block at their next one. Training's random state and
    order of episodes do not change.
    """

    def __init__(
        self,
        held_out: EpisodeDataset,
        episodes: int,
        batch: int,
        every: int,
        perceptual: Frozen,
        export: Callable[[Nets], Nets],
        keep_best: str | None,
        save: Callable[[Nets, dict[str, Any]], None],
    ) -> None:
        super().__init__(every)
        self.held_out, self.episodes, self.batch = held_out, episodes, batch
        self.perceptual, self.export = perceptual, export
        self.keep_best, self.save = keep_best, save
        self._validated_at = -1
        self._distance = math.inf  # of the best value to its ideal
        self._held_out_batches: list[dict[str, Tensor]] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if trainer.is_global_zero:
            numbers = range(self.episodes)
            self._held_out_batches = [
                self.held_out.batch(numbers[k : k + self.batch]) for k in numbers[:: self.batch]
            ]

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if self._validated_at != episodes_seen(trainer):
            self.run(trainer, pl_module)

    def run(self, trainer: pl.Trainer, module: MetaLearning) -> None:
        """Log the terms of the current weights, and save these if they are the best so far."""
        if not trainer.is_global_zero:
            return
        self._validated_at = episodes = episodes_seen(trainer)
        start = time.perf_counter()
        nets = self.export(module.nets)
        with trainer.precision_plugin.val_step_context():
            batches = self._on(module.device)
            values = compute_validation_terms(nets, batches, self.perceptual, module.weights)
        log_metrics(trainer, values | {"val/seconds": time.perf_counter() - start}, episodes)
        term = self.keep_best or "val/cnt"
        trainer.progress_bar_metrics.update({term: values[term]})
        if self.keep_best is not None:
            value = values[self.keep_best]
            distance = abs(value - IDEAL[self.keep_best])
            if distance < self._distance:
                self._distance = distance
                best = {"metric": self.keep_best, "value": value, "held_out": self.episodes}
                self.save(nets, {"episodes": episodes, "best": best})

    def state_dict(self) -> dict[str, Any]:
        best = {"metric": self.keep_best, "distance": self._distance}
        return super().state_dict() | best

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        # Distances of different metrics are not comparable.
        if state_dict["metric"] == self.keep_best:
            self._distance = state_dict["distance"]

    def _on(self, device: torch.device) -> Iterator[dict[str, Tensor]]:
        """Yield the held-out batches as floats on the device."""
        for batch in self._held_out_batches:
            yield to_floats({name: t.to(device) for name, t in batch.items()})
