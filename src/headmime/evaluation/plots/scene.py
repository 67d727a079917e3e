"""Figures of trials: source, target, landmarks and every method's output, as a grid of people, T
and methods as in the paper, or as side-by-side videos.
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
"""Frame rate for driving frames that are not consecutive."""


@dataclass(frozen=True)
class FigureContext:
    """Shared by all figures of a table: data, frame size, motion, methods by name."""

    store: Store
    size: int
    motion: str
    methods: Mapping[str, Adapt]

    def heads(self, trial: Trial) -> list[str]:
        """Column titles of `columns`."""
        target = "Target" if trial.truth is not None else "Driver"
        return ["Source", target, "Landmarks", *(METHODS[name].short for name in self.methods)]

    def columns(self, trial: Trial, T: int, frames: Sequence[int]) -> list[np.ndarray]:
        """Return the images of each column for the driving `frames`: uint8 [n, S, S, 3] each.

        The source column is the first of the T source frames.
        """
        sources = load_landmarks(self.store, trial.gallery[:T])
        target = driving_landmarks(self.store, trial, sources, self.motion)[list(frames)]
        source_frames = load_frames(self.store, trial.gallery[:T], self.size)
        reference = trial.driving if trial.truth is None else trial.truth
        return [
            np.repeat(source_frames[:1], len(frames), axis=0),
            load_frames(self.store, tuple(reference[k] for k in frames), self.size),
            np.stack([draw_landmarks(one, self.size) for one in target]),
            *(adapt(source_frames, sources)(target) for adapt in self.methods.values()),
        ]


def draw_grid(
    context: FigureContext,
    trials: Sequence[Trial],
    Ts: Sequence[int],
    tile: int,
    seed: int,
    on_line: OnFrame | None = None,
) -> np.ndarray:
    """Draw one randomly sampled frame of each trial for each T: uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    frames = [int(rng.integers(len(trial.driving))) for trial in trials]
    combinations = [(*pair, T) for pair in zip(trials, frames, strict=True) for T in Ts]
    lines = []
    for trial, frame, T in report_progress(combinations, len(combinations), on_line):
        images = [column[0] for column in context.columns(trial, T, [frame])]
        lines.append(SheetRow(images, label=f"T = {T}", apart=Ts[0] == T and bool(lines)))
    return draw_sheet(context.heads(trials[0]), lines, tile)


def sample_trials(trials: Sequence[Trial], count: int, seed: int) -> list[Trial]:
    """Sample `count` of the trials (or all), in their original order."""
    chosen = np.random.default_rng(seed).permutation(len(trials))[:count]
    return [trials[k] for k in sorted(chosen)]


def clip_of(store: Store, trial: Trial, mode: str) -> tuple[Trial, Fraction]:
    """Return a trial for a video and its frame rate: driven by the whole clip of its first driving
    frame, if that contains no source frame.

    Otherwise, and in mode "truth" (true frames exist only for the driving frames), the trial is
    unchanged.
    """
    clip = trial.driving[0][0]
    if mode == "truth" or clip in {source for source, _ in trial.gallery}:
        return trial, SINGLE_FRAMES
    count = int(store.frame_starts[clip + 1] - store.frame_starts[clip])
    whole: Refs = tuple((clip, t) for t in range(count))
    fps = Fraction(store.clip(clip).fps).limit_denominator(1001)
    truth = None if trial.truth is None else whole
    return replace(trial, driving=whole, truth=truth), fps


def side_by_side(context: FigureContext, trial: Trial, T: int, tile: int) -> Iterator[np.ndarray]:
    """Yield a frame uint8 [H, W, 3] per driving frame: source, target, landmarks, methods."""
    heads = context.heads(trial)
    columns = context.columns(trial, T, range(len(trial.driving)))
    for images in zip(*columns, strict=True):
        yield draw_sheet(heads, [SheetRow(images)], tile)
