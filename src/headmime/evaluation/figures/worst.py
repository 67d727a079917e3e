"""The worst frames of a row by one metric: where a method fails, not where it shines."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headmime.errors import HeadmimeError
from headmime.evaluation.figures.scene import Stage
from headmime.evaluation.figures.sheet import Line, beside, sheet
from headmime.evaluation.names import METRICS
from headmime.evaluation.trials import Trial

SHARE = 0.05
BLOCKS = 2
"""Sheets beside each other."""


@dataclass(frozen=True)
class Score:
    """What a metric says of a frame: number `frame` of the trial's driving. `found`: whether a face
    was found in the output.
    """

    trial: str
    frame: int
    value: float
    found: bool


def worst_scores(file: Path, metric: str) -> tuple[list[Score], int]:
    """The worst 5 % of all frames of the result `file` (.json), worst first; and of how many.

    Frames without a value (no face was found) are not ranked. HeadmimeError if the metric does not
    say of single frames which are worse.
    """
    if metric not in METRICS or METRICS[metric].better == 0:
        known = ", ".join(name for name, one in METRICS.items() if one.better)
        raise HeadmimeError(f"figures.worst={metric} is none of {known}.")
    scores: list[Score] = []
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as kept:
        for k, (trial, _) in enumerate(kept["trials"].tolist()):
            if f"{k}/{metric}" not in kept or len(kept[f"{k}/{metric}"]) != len(kept[f"{k}/found"]):
                raise HeadmimeError(f"figures.worst={metric} is not measured frame by frame.")
            values = zip(kept[f"{k}/{metric}"].tolist(), kept[f"{k}/found"].tolist(), strict=True)
            scores += [
                Score(trial, t, value, bool(found))
                for t, (value, found) in enumerate(values)
                if math.isfinite(value)
            ]
    if not scores:
        raise HeadmimeError(f"{file.name} has no {metric} of any frame.")
    scores.sort(key=lambda score: score.value * METRICS[metric].better)
    return scores[: math.ceil(SHARE * len(scores))], len(scores)


def worst(
    stage: Stage,
    trials: Mapping[str, Trial],
    scores: Sequence[Score],
    reasons: Sequence[str],
    T: int,
    metric: str,
    tile: int,
) -> np.ndarray:
    """The frames of `scores` with all that belongs to them, in two blocks: uint8 [H, W, 3].

    Below each stand its place, the metric, and of `reasons` what sets it apart. `trials` by name.
    """
    shown = _columns(stage, trials, scores, T)
    lines = [
        Line(
            shown[score.trial, score.frame],
            note=f"{place}. {_value(score, metric)}: {reason}",
        )
        for place, (score, reason) in enumerate(zip(scores, reasons, strict=True), start=1)
    ]
    heads = stage.heads(trials[scores[0].trial])
    each = math.ceil(len(lines) / BLOCKS)
    blocks = [lines[start : start + each] for start in range(0, len(lines), each)]
    return beside([sheet(heads, block, tile) for block in blocks], gap=tile // 3)


def _columns(
    stage: Stage, trials: Mapping[str, Trial], scores: Sequence[Score], T: int
) -> dict[tuple[str, int], list[np.ndarray]]:
    """What is shown of each score: the frames of a trial are made together."""
    frames: dict[str, list[int]] = {}
    for score in scores:
        frames.setdefault(score.trial, []).append(score.frame)
    shown = {}
    for name, numbers in frames.items():
        columns = stage.columns(trials[name], T, numbers)
        for place, number in enumerate(numbers):
            shown[name, number] = [column[place] for column in columns]
    return shown


def _value(score: Score, metric: str) -> str:
    one = METRICS[metric]
    return f"{metric} {score.value:.{one.digits}f} {one.unit}".rstrip()
