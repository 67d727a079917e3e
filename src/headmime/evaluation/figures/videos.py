"""Methods side by side in motion."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from headmime.data.store import Store
from headmime.evaluation.figures.scene import Stage
from headmime.evaluation.figures.sheet import Line, sheet
from headmime.evaluation.trials import Refs, Trial

SINGLE_FRAMES = Fraction(4)
"""Frames a second where the driving frames are no neighbours, so that there is no true speed."""


@dataclass(frozen=True)
class Take:
    """A trial whose driving is fit for a video."""

    trial: Trial
    fps: Fraction


def take(store: Store, trial: Trial, mode: str) -> Take:
    """The whole clip of the trial's first driving frame, where it holds no source frame.

    Else, and where frames of the truth belong to frames of the driving one by one (mode "truth"),
    the driving frames as they are.
    """
    clip = trial.driving[0][0]
    if mode == "truth" or clip in {source for source, _ in trial.gallery}:
        return Take(trial, SINGLE_FRAMES)
    count = int(store.frame_starts[clip + 1] - store.frame_starts[clip])
    whole: Refs = tuple((clip, t) for t in range(count))
    fps = Fraction(store.clip(clip).fps).limit_denominator(1001)
    truth = None if trial.truth is None else whole
    return Take(replace(trial, driving=whole, truth=truth), fps)


def side_by_side(stage: Stage, trial: Trial, T: int, tile: int) -> Iterator[np.ndarray]:
    """A frame uint8 [H, W, 3] for each of the driving: source, target, landmarks, methods."""
    heads = stage.heads(trial)
    columns = stage.columns(trial, T, range(len(trial.driving)))
    for pictures in zip(*columns, strict=True):
        yield sheet(heads, [Line(pictures)], tile)
