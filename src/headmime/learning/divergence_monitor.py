"""A run that can no longer recover stops itself, and says which term did it."""

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
"""Mean of the grid's pictures, in [-1, 1], from which on they are called black."""
CAST = 1.2
"""How much more of one colour than the targets have counts as that colour alone (2: pure red)."""
FLAT = 0.1
"""Share of the targets' contrast below which a picture is one colour."""
SETTLED = 2_000
"""Episodes until which a run may be flat: an untrained generator is, for a while."""
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
    """Averages a run's readings on the device, looks at a fixed validation batch, and raises
    HeadmimeError when a reading is no number or the pictures have turned black or one colour.

    ``stop`` False only measures. ``state`` is the file that the error names as the last good one.
    """

    def __init__(self, batch: dict[str, Tensor], state: Path, *, stop: bool) -> None:
        self.batch, self.state, self.stop = batch, state, stop
        self.reset()

    def reset(self) -> None:
        """Begin a new average."""
        self._names: list[str] = []
        self._batches = 0

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        values = torch.stack([value.float() for value in outputs.values()])
        if not self._batches:
            self._names = list(outputs)
            self._sums = torch.zeros_like(values)
            self._numbers = torch.ones_like(values, dtype=torch.bool)
            self._until = torch.zeros_like(values)
        self._sums += values
        self._numbers &= values.isfinite()
        self._until += self._numbers
        self._batches += 1

    def diagnostics(self, module: MetaLearning) -> dict[str, float]:
        """The means since the last reset over all processes, and the grid's readings now."""
        batch = {name: t.to(module.device) for name, t in self.batch.items()}
        grid = {name: value.item() for name, value in grid_diagnostics(module.nets, batch).items()}
        if not self._batches:
            return grid
        means = mean_over_processes(self._sums / self._batches).tolist()
        self._until = min_over_processes(self._until)
        return dict(zip(self._names, means, strict=True)) | grid

    def judge(self, module: MetaLearning, readings: dict[str, float], episode: int) -> None:
        """Raise HeadmimeError with the term and a remedy where these readings are those of a run
        that is over.
        """
        if not self.stop:
            return
        said = self._not_a_number(readings) or describe_collapse(readings, module.weights, episode)
        if said is not None:
            good = f"is {self.state}" if self.state.is_file() else "was not kept yet"
            raise HeadmimeError(
                f"Stopped at episode {episode}: {said} (the last good state {good})."
            )

    def check(self, module: MetaLearning, episode: int) -> None:
        """Judge the readings of this moment, if anything can come of it."""
        if self.stop:
            self.judge(module, self.diagnostics(module), episode)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._batches:  # of a run that went on
            self._sums, self._numbers, self._until = (
                t.to(pl_module.device) for t in (self._sums, self._numbers, self._until)
            )

    def state_dict(self) -> dict[str, Any]:
        if not self._batches:
            return {}
        sums = {"sums": self._sums, "numbers": self._numbers, "until": self._until}
        return {"names": self._names, "batches": self._batches, **sums}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._names, self._batches = state_dict["names"], state_dict["batches"]
        self._sums, self._numbers, self._until = (
            state_dict[name].clone() for name in ("sums", "numbers", "until")
        )

    def _not_a_number(self, readings: dict[str, float]) -> str | None:
        bad = [name for name, value in readings.items() if not math.isfinite(value)]
        if not bad:
            return None
        until = dict(zip(self._names, self._until.tolist(), strict=True)) if self._batches else {}
        first = min(until.get(name, self._batches) for name in bad)
        names = [name for name in bad if until.get(name, self._batches) == first]
        terms = [name for name in names if name in REMEDIES] or names
        remedy = REMEDIES.get(terms[0], SLOWER) if len(terms) == 1 else SLOWER
        ago = self._batches - int(first)
        return f"{_join_words(terms)} became NaN or infinite {ago} batches ago; {remedy}"


def describe_collapse(readings: dict[str, float], weights: LossWeights, episode: int) -> str | None:
    """Say what is wrong with the grid's pictures, and which term outweighs the others; None if
    nothing is.
    """
    brightness, contrast = readings["grid/brightness"], readings["grid/contrast"]
    if brightness < BLACK < readings["target/brightness"]:
        symptom = f"black (mean {brightness:.2f}, targets {readings['target/brightness']:.2f})"
    elif readings["grid/cast"] > readings["target/cast"] + CAST:
        symptom = f"one pure colour (grid/cast {readings['grid/cast']:.2f})"
    elif contrast < FLAT and episode >= SETTLED:
        symptom = f"flat ({contrast:.0%} of the targets' contrast)"
    else:
        return None
    sizes = {
        name: abs(getattr(weights, weight) * readings[name])
        for name, weight in TERMS.items()
        if name in readings
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
