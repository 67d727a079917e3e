"""What figures show of a trial: source, target, landmarks, and every method's output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headmime.data.store import Store
from headmime.evaluation.evaluate import Adapt
from headmime.evaluation.trials import Trial, asked_landmarks, pictures, points
from headmime.landmarks.draw import draw

NAMES = {
    "ff": "Ours-FF",
    "ft": "Ours-FT",
    "warp": "Warp",
    "nearest": "Nearest",
    "copy": "Copy",
    "mean": "Mean",
}
"""How methods are called in figures."""


@dataclass(frozen=True)
class Stage:
    """What all figures of a table share: data, size of the frames, motion, methods by name."""

    store: Store
    size: int
    motion: str
    methods: Mapping[str, Adapt]

    def heads(self, trial: Trial) -> list[str]:
        """The words above the columns of `columns`."""
        target = "Target" if trial.truth is not None else "Driver"
        return ["Source", target, "Landmarks", *(NAMES[name] for name in self.methods)]

    def columns(self, trial: Trial, T: int, frames: Sequence[int]) -> list[np.ndarray]:
        """For each head, what is shown of the trial's driving `frames`: uint8 [n, S, S, 3].

        The source is the first of the T frames that the animators saw.
        """
        sources = points(self.store, trial.gallery[:T])
        asked = asked_landmarks(self.store, trial, sources, self.motion)[list(frames)]
        seen = pictures(self.store, trial.gallery[:T], self.size)
        shown = trial.driving if trial.truth is None else trial.truth
        return [
            np.repeat(seen[:1], len(frames), axis=0),
            pictures(self.store, [shown[k] for k in frames], self.size),
            np.stack([draw(one, self.size) for one in asked]),
            *(adapt(seen, sources)(asked) for adapt in self.methods.values()),
        ]
