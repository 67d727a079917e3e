"""The worst frames of a row by one metric, and what sets them apart from the source frames."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from headmime.animate.poses import LIDS
from headmime.errors import HeadmimeError
from headmime.evaluation.formatting import csv_table
from headmime.evaluation.metric_table import METRICS
from headmime.evaluation.metrics.motion import angles, degrees_from_sources
from headmime.evaluation.plots.scene import FigureContext
from headmime.evaluation.plots.sheet import SheetRow, draw_sheet, join_sheets
from headmime.evaluation.trials import Trial, driving_landmarks, load_frames, load_landmarks
from headmime.landmarks.points import face_size, mouth_opening

SHARE = 0.05
BLOCKS = 2
"""Sheets beside each other."""

# From here on a difference is a reason.
TURN, TILT = 15.0, 15.0  # degrees, as for @turned
MOUTH = 0.05  # units of `mouth_opening`: as in speaking
SHUT = 0.5  # of the least lid opening
NEARER = 1.25
AROUND = 25.0  # grey levels of 255
RING = 1 / 8  # of the side: what is around a face


@dataclass(frozen=True)
class FrameScore:
    """What a metric says of a frame: number `frame` of the trial's driving. `found`: whether a face
    was found in the output.
    """

    trial: str
    frame: int
    value: float
    found: bool


@dataclass(frozen=True)
class Circumstances:
    """Of one frame that an animator was asked for, against the T source frames that it saw.

    turn, tilt: degrees to the nearest of them. size: of the face, over the nearest of theirs.
    mouth, lids: openings over the face's size. around: mean difference of the picture's outer
    eighth to that of the most similar source, of 255; NaN without a true frame.
    """

    found: bool
    turn: float
    tilt: float
    size: float
    mouth: float
    least_source_mouth: float
    most_source_mouth: float
    lids: float
    least_source_lids: float
    around: float

    @property
    def reason(self) -> str:
        """A clause for each thing that sets the frame apart."""
        least, most = self.least_source_mouth, self.most_source_mouth
        clauses = {
            "no face was found in the output": not self.found,
            f"head {self.turn:.0f} degrees from every source frame": self.turn > TURN,
            f"head tilted {self.tilt:.0f} degrees from every source frame": self.tilt > TILT,
            f"face {self.size:.2f} times as large as in any source frame": self.size > NEARER,
            f"face {self.size:.2f} times the least size in a source frame": self.size < 1 / NEARER,
            f"mouth open {self.mouth:.2f}, at most {most:.2f} in the source frames": (
                self.mouth > most + MOUTH
            ),
            f"mouth open {self.mouth:.2f}, at least {least:.2f} in the source frames": (
                self.mouth < least - MOUTH
            ),
            "eyes shut, open in every source frame": self.lids < SHUT * self.least_source_lids,
            f"what is around the face differs by {self.around:.0f} of 255 from every source "
            "frame": self.around > AROUND,
        }
        said = "; ".join(clause for clause, applies in clauses.items() if applies)
        return said or f"nothing measured sets it apart (head {self.turn:.0f} degrees)"


def circumstances(
    stage: FigureContext, trials: Mapping[str, Trial], scores: Sequence[FrameScore], T: int
) -> list[Circumstances]:
    """Of every score, in their order."""
    return [_circumstances(stage, trials[score.trial], score, T) for score in scores]


def as_csv(
    stage: FigureContext,
    trials: Mapping[str, Trial],
    scores: Sequence[FrameScore],
    found: Sequence[Circumstances],
    metric: str,
) -> str:
    """All of it in the order of the pictures, for people who write about them."""
    rows = []
    for place, (score, one) in enumerate(zip(scores, found, strict=True), start=1):
        trial = trials[score.trial]
        clip, t = trial.driving[score.frame]
        row = {
            "place": place,
            "person": trial.person,
            "trial": trial.name,
            "clip": stage.store.clip(clip).clip,
            "frame": t,
            "seconds": f"{stage.store.times(clip)[t]:.2f}",
            metric: f"{score.value:.4f}",
        }
        measured = {
            name: f"{value:.3f}" if isinstance(value, float) else value
            for name, value in asdict(one).items()
        }
        rows.append({**row, **measured, "reason": one.reason})
    return csv_table(rows)


def _circumstances(stage: FigureContext, trial: Trial, score: FrameScore, T: int) -> Circumstances:
    sources = load_landmarks(stage.store, trial.gallery[:T])
    asked = driving_landmarks(stage.store, trial, sources, stage.motion)[[score.frame]]
    sizes = np.log(face_size(asked) / face_size(sources))
    mouths = mouth_opening(sources)
    return Circumstances(
        found=score.found,
        turn=float(degrees_from_sources(asked, sources)[0]),
        tilt=float(abs(angles(asked)[:, 2] - angles(sources)[:, 2]).min()),
        size=float(np.exp(sizes[abs(sizes).argmin()])),
        mouth=float(mouth_opening(asked)[0]),
        least_source_mouth=float(mouths.min()),
        most_source_mouth=float(mouths.max()),
        lids=float(_lids(asked)[0]),
        least_source_lids=float(_lids(sources).min()),
        around=_around(stage, trial, score, T),
    )


def _lids(landmarks: np.ndarray) -> np.ndarray:
    upper, lower = LIDS
    gaps = np.linalg.norm(landmarks[:, lower] - landmarks[:, upper], axis=-1).mean(-1)
    return gaps / face_size(landmarks)


def _around(stage: FigureContext, trial: Trial, score: FrameScore, T: int) -> float:
    if trial.truth is None:
        return float("nan")
    true = load_frames(stage.store, [trial.truth[score.frame]], stage.size).astype(np.float32)
    seen = load_frames(stage.store, trial.gallery[:T], stage.size).astype(np.float32)
    ring = np.ones((stage.size, stage.size), bool)
    edge = max(1, round(RING * stage.size))
    ring[edge:-edge, edge:-edge] = False
    return float(abs(true - seen)[:, ring].mean((1, 2)).min())


def worst_scores(file: Path, metric: str) -> tuple[list[FrameScore], int]:
    """The worst 5 % of all frames of the result `file` (.json), worst first; and of how many.

    Frames without a value (no face was found) are not ranked. HeadmimeError if the metric does not
    say of single frames which are worse.
    """
    if metric not in METRICS or METRICS[metric].better == 0:
        known = ", ".join(name for name, one in METRICS.items() if one.better)
        raise HeadmimeError(f"figures.worst={metric} is none of {known}.")
    scores: list[FrameScore] = []
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as kept:
        for k, (trial, _) in enumerate(kept["trials"].tolist()):
            if f"{k}/{metric}" not in kept or len(kept[f"{k}/{metric}"]) != len(kept[f"{k}/found"]):
                raise HeadmimeError(f"figures.worst={metric} is not measured frame by frame.")
            values = zip(kept[f"{k}/{metric}"].tolist(), kept[f"{k}/found"].tolist(), strict=True)
            scores += [
                FrameScore(trial, t, value, bool(found))
                for t, (value, found) in enumerate(values)
                if math.isfinite(value)
            ]
    if not scores:
        raise HeadmimeError(f"{file.name} has no {metric} of any frame.")
    scores.sort(key=lambda score: score.value * METRICS[metric].better)
    return scores[: math.ceil(SHARE * len(scores))], len(scores)


def draw_worst(
    stage: FigureContext,
    trials: Mapping[str, Trial],
    scores: Sequence[FrameScore],
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
        SheetRow(
            shown[score.trial, score.frame],
            note=f"{place}. {_value(score, metric)}: {reason}",
        )
        for place, (score, reason) in enumerate(zip(scores, reasons, strict=True), start=1)
    ]
    heads = stage.heads(trials[scores[0].trial])
    each = math.ceil(len(lines) / BLOCKS)
    blocks = [lines[start : start + each] for start in range(0, len(lines), each)]
    return join_sheets([draw_sheet(heads, block, tile) for block in blocks], gap=tile // 3)


def _columns(
    stage: FigureContext, trials: Mapping[str, Trial], scores: Sequence[FrameScore], T: int
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


def _value(score: FrameScore, metric: str) -> str:
    one = METRICS[metric]
    return f"{metric} {score.value:.{one.digits}f} {one.unit}".rstrip()
