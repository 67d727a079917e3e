"""What figures show of a trial: source, target, landmarks, and every method's output; a grid of
people, T and methods as in the paper, and methods side by side in motion.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from headmime.data.store import Store
from headmime.evaluation.evaluate import Adapt
from headmime.evaluation.method_table import METHODS
from headmime.evaluation.plots.sheet import SheetRow, draw_sheet
from headmime.evaluation.trials import Refs, Trial, driving_landmarks, load_frames, load_landmarks
from headmime.landmarks.drawing import draw_landmarks
from headmime.progress import OnFrame, report_progress

SINGLE_FRAMES = Fraction(4)
"""Frames a second where the driving frames are no neighbours, so that there is no true speed."""


@dataclass(frozen=True)
class FigureContext:
    """What all figures of a table share: data, size of the frames, motion, methods by name."""

    store: Store
    size: int
    motion: str
    methods: Mapping[str, Adapt]

    def heads(self, trial: Trial) -> list[str]:
        """The words above the columns of `columns`."""
        target = "Target" if trial.truth is not None else "Driver"
        return ["Source", target, "Landmarks", *(METHODS[name].short for name in self.methods)]

    def columns(self, trial: Trial, T: int, frames: Sequence[int]) -> list[np.ndarray]:
        """For each head, what is shown of the trial's driving `frames`: uint8 [n, S, S, 3].

        The source is the first of the T frames that the animators saw.
        """
        sources = load_landmarks(self.store, trial.gallery[:T])
        asked = driving_landmarks(self.store, trial, sources, self.motion)[list(frames)]
        seen = load_frames(self.store, trial.gallery[:T], self.size)
        shown = trial.driving if trial.truth is None else trial.truth
        return [
            np.repeat(seen[:1], len(frames), axis=0),
            load_frames(self.store, tuple(shown[k] for k in frames), self.size),
            np.stack([draw_landmarks(one, self.size) for one in asked]),
            *(adapt(seen, sources)(asked) for adapt in self.methods.values()),
        ]


def draw_grid(
    stage: FigureContext,
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
    for trial, frame, T in report_progress(asked, len(asked), on_line):
        shown = [column[0] for column in stage.columns(trial, T, [frame])]
        lines.append(SheetRow(shown, label=f"T = {T}", apart=Ts[0] == T and bool(lines)))
    return draw_sheet(stage.heads(trials[0]), lines, tile)


def sample_trials(trials: Sequence[Trial], count: int, seed: int) -> list[Trial]:
    """`count` of the trials (or all) by the seed, in their own order."""
    chosen = np.random.default_rng(seed).permutation(len(trials))[:count]
    return [trials[k] for k in sorted(chosen)]


def clip_of(store: Store, trial: Trial, mode: str) -> tuple[Trial, Fraction]:
    """A trial fit for a video, and its frames a second: driven by the whole clip of its first
    driving frame, where that holds no source frame.

    Else, and where frames of the truth belong to frames of the driving one by one (mode "truth"),
    the driving frames as they are.
    """
    clip = trial.driving[0][0]
    if mode == "truth" or clip in {source for source, _ in trial.gallery}:
        return trial, SINGLE_FRAMES
    count = int(store.frame_starts[clip + 1] - store.frame_starts[clip])
    whole: Refs = tuple((clip, t) for t in range(count))
    fps = Fraction(store.clip(clip).fps).limit_denominator(1001)
    truth = None if trial.truth is None else whole
    return replace(trial, driving=whole, truth=truth), fps


def side_by_side(stage: FigureContext, trial: Trial, T: int, tile: int) -> Iterator[np.ndarray]:
    """A frame uint8 [H, W, 3] for each of the driving: source, target, landmarks, methods."""
    heads = stage.heads(trial)
    columns = stage.columns(trial, T, range(len(trial.driving)))
    for shown in zip(*columns, strict=True):
        yield draw_sheet(heads, [SheetRow(shown)], tile)
