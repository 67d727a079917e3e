"""People, each with T = 1, 8, 32 below each other, and methods side by side: the paper's layout."""

from collections.abc import Sequence

import numpy as np

from headmime.evaluation.figures.scene import Stage
from headmime.evaluation.figures.sheet import Line, sheet
from headmime.evaluation.trials import Trial
from headmime.progress import OnFrame, reported


def grid(
    stage: Stage,
    trials: Sequence[Trial],
    Ts: Sequence[int],
    tile: int,
    seed: int,
    on_line: OnFrame | None = None,
) -> np.ndarray:
    """One frame of each trial, drawn by the seed (nobody chooses), for each T: uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    frames = [int(rng.integers(len(trial.driving))) for trial in trials]
    asked = [(*pair, T) for pair in zip(trials, frames, strict=True) for T in Ts]
    lines = []
    for trial, frame, T in reported(asked, len(asked), on_line):
        shown = [column[0] for column in stage.columns(trial, T, [frame])]
        lines.append(Line(shown, label=f"T = {T}", apart=Ts[0] == T and bool(lines)))
    return sheet(stage.heads(trials[0]), lines, tile)


def drawn_trials(trials: Sequence[Trial], count: int, seed: int) -> list[Trial]:
    """`count` of the trials (or all) by the seed, in their own order."""
    chosen = np.random.default_rng(seed).permutation(len(trials))[:count]
    return [trials[k] for k in sorted(chosen)]
