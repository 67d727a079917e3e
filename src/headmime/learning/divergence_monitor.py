"""Stops a diverged run, and names the responsible term."""

import math
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from headmime.errors import HeadmimeError
from headmime.learning.diagnostics import grid_diagnostics
from headmime.learning.distributed import mean_over_processes, min_over_processes
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights

BLACK = -0.9
"""Mean of the grid's images, in [-1, 1], below which they count as black."""
CAST = 1.2
"""Excess of `grid/cast` over the targets' that counts as a single pure colour (2: pure red)."""
FLAT = 0.1
"""Contrast relative to the targets' below which an image counts as one colour."""
SETTLED = 2_000
"""Episodes before which flat images are accepted: an untrained generator's output is flat."""
TERMS = {
    "loss/cnt": "content",
    "loss/adv": "adversarial",
    "loss/fm": "feature_matching",
    "loss/mch": "matching",
    "loss/pix": "pixel",
}
REMEDIES = {
    "loss/cnt": "lower optim.lr_generator, and check what the perceptual networks take as input",
    "loss/adv": "raise loss.content, or lower loss.adversarial or the rates (optim.lr_*)",
    "loss/fm": "lower loss.feature_matching or optim.lr_discriminator",
    "loss/mch": "lower loss.matching or optim.lr_video_embeddings",
    "loss/pix": "lower loss.pixel or optim.lr_generator",
    "loss/dsc": "lower optim.lr_discriminator",
}
SLOWER = (
    "lower optim.lr_generator and optim.lr_discriminator, or train in trainer.precision=32-true"
)


class DivergenceMonitor(pl.Callback):
    """Averages a run's diagnostics on the device, computes those of a fixed validation batch, and
    raises HeadmimeError when one is not finite or the images have become black or one colour.

    ``stop`` False: measure only. ``state``: the file that the error names as the last good state.
    """

    def __init__(self, batch: dict[str, Tensor], state: Path, *, stop: bool) -> None:
        self.batch, self.state, self.stop = batch, state, stop
        self.reset()

    def reset(self) -> None:
        """Start a new average."""
        self._names: list[str] = []
        self._batches = 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, *_: Any, **__: Any
    ) -> None:
        values = torch.stack([value.float() for value in outputs.values()])
        if not self._batches:
            self._names = list(outputs)
            self._sums = torch.zeros_like(values)
            self._finite = torch.ones_like(values, dtype=torch.bool)
            self._finite_batches = torch.zeros_like(values)
        self._sums += values
        self._finite &= values.isfinite()
        self._finite_batches += self._finite
        self._batches += 1

    def diagnostics(self, module: MetaLearning) -> dict[str, float]:
        """Means since the last reset over all processes, and the grid's current diagnostics."""
        batch = {name: t.to(module.device) for name, t in self.batch.items()}
        grid = {name: value.item() for name, value in grid_diagnostics(module.nets, batch).items()}
        if not self._batches:
            return grid
        means = mean_over_processes(self._sums / self._batches).tolist()
        self._finite_batches = min_over_processes(self._finite_batches)
        return dict(zip(self._names, means, strict=True)) | grid

    def raise_if_diverged(
        self, module: MetaLearning, diagnostics: dict[str, float], episode: int
    ) -> None:
        """Raise HeadmimeError with the term and a remedy if the diagnostics show divergence."""
        if not self.stop:
            return
        problem = self._describe_nan(diagnostics) or describe_collapse(
            diagnostics, module.weights, episode
        )
        if problem is not None:
            good = f"is {self.state}" if self.state.is_file() else "was not saved yet"
            raise HeadmimeError(
                f"Stopped at episode {episode}: {problem} (the last good state {good})."
            )

    def check(self, module: MetaLearning, episode: int) -> None:
        """Compute the current diagnostics and raise if they show divergence; a no-op without
        ``stop``.
        """
        if self.stop:
            self.raise_if_diverged(module, self.diagnostics(module), episode)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._batches:  # of a resumed run
            self._sums, self._finite, self._finite_batches = (
                t.to(pl_module.device) for t in (self._sums, self._finite, self._finite_batches)
            )

    def state_dict(self) -> dict[str, Any]:
        if not self._batches:
            return {}
        sums = {"sums": self._sums, "numbers": self._finite, "until": self._finite_batches}
        return {"names": self._names, "batches": self._batches, **sums}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._names, self._batches = state_dict["names"], state_dict["batches"]
        self._sums, self._finite, self._finite_batches = (
            state_dict[name].clone() for name in ("sums", "numbers", "until")
        )

    def _describe_nan(self, diagnostics: dict[str, float]) -> str | None:
        """Name the terms that became NaN or infinite first; None if all are finite."""
        bad = [name for name, value in diagnostics.items() if not math.isfinite(value)]
        if not bad:
            return None
        finite = self._finite_batches.tolist() if self._batches else []
        until = dict(zip(self._names, finite, strict=True))
        first = min(until.get(name, self._batches) for name in bad)
        names = [name for name in bad if until.get(name, self._batches) == first]
        terms = [name for name in names if name in REMEDIES] or names
        remedy = REMEDIES.get(terms[0], SLOWER) if len(terms) == 1 else SLOWER
        ago = self._batches - int(first)
        return f"{_join_words(terms)} became NaN or infinite {ago} batches ago; {remedy}"


def describe_collapse(
    diagnostics: dict[str, float], weights: LossWeights, episode: int
) -> str | None:
    """Describe collapsed images (black, one colour) and the dominant term of the objective; None if
    the images are normal.
    """
    brightness, contrast = diagnostics["grid/brightness"], diagnostics["grid/contrast"]
    target = diagnostics["target/brightness"]
    if brightness < BLACK < target:
        symptom = f"black (mean {brightness:.2f}, targets {target:.2f})"
    elif diagnostics["grid/cast"] > diagnostics["target/cast"] + CAST:
        symptom = f"one pure colour (grid/cast {diagnostics['grid/cast']:.2f})"
    elif contrast < FLAT and episode >= SETTLED:
        symptom = f"flat ({contrast:.0%} of the targets' contrast)"
    else:
        return None
    sizes = {
        name: abs(getattr(weights, weight) * diagnostics[name])
        for name, weight in TERMS.items()
        if name in diagnostics
    }
    if not sum(sizes.values()):
        return f"the validation grid turned {symptom}; {SLOWER}"
    most = max(sizes, key=sizes.__getitem__)
    share = sizes[most] / sum(sizes.values())
    return (
        f"the validation grid turned {symptom} while {most} was {share:.0%} of the objective;"
        f" {REMEDIES[most]}"
    )


def _join_words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
