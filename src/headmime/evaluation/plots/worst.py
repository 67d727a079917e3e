"""The worst frames of a row by one metric, and how they differ from the source frames."""

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
"""Number of sheets side by side."""

# Thresholds above which a difference is reported as a reason.
TURN, TILT = 15.0, 15.0  # degrees, as for @turned
MOUTH = 0.05  # units of `mouth_opening`: as in speech
CLOSED = 0.5  # of the smallest lid opening
SIZE_RATIO = 1.25
AROUND = 25.0  # grey levels of 255
RING = 1 / 8  # width of the background ring, of the image side


@dataclass(frozen=True)
class FrameScore:
    """Metric value of driving frame number `frame` of a trial. `found`: a face was detected in the
    output.
    """

    trial: str
    frame: int
    value: float
    found: bool


@dataclass(frozen=True)
class Circumstances:
    """Differences of a target frame from the T source frames.

    turn, tilt: degrees to the nearest source. size: of the face, relative to the nearest source.
    mouth, lids: openings in face sizes. around: mean difference (of 255) of the image's outer
    eighth to the most similar source; NaN without a true frame.
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
        """Clauses for all differences above their thresholds."""
        least, most = self.least_source_mouth, self.most_source_mouth
        size, mouth = f"{self.size:.2f}", f"mouth open {self.mouth:.2f}"
        clauses = {
            "no face was found in the output": not self.found,
            f"head {self.turn:.0f} degrees from every source frame": self.turn > TURN,
            f"head tilted {self.tilt:.0f} degrees from every source frame": self.tilt > TILT,
            f"face {size} times as large as in any source frame": self.size > SIZE_RATIO,
            f"face {size} times the least size in a source frame": self.size < 1 / SIZE_RATIO,
            f"{mouth}, at most {most:.2f} in the source frames": self.mouth > most + MOUTH,
            f"{mouth}, at least {least:.2f} in the source frames": self.mouth < least - MOUTH,
            "eyes closed, open in every source frame": self.lids < CLOSED * self.least_source_lids,
            f"the background differs by {self.around:.0f} of 255 from every source frame": (
                self.around > AROUND
            ),
        }
        reasons = "; ".join(clause for clause, applies in clauses.items() if applies)
        return reasons or f"nothing measured sets it apart (head {self.turn:.0f} degrees)"


def as_csv(
    context: FigureContext,
    trials: Mapping[str, Trial],
    scores: Sequence[FrameScore],
    found: Sequence[Circumstances],
    metric: str,
) -> str:
    """Format scores and circumstances as CSV, in the order of the images."""
    rows = []
    for place, (score, one) in enumerate(zip(scores, found, strict=True), start=1):
        trial = trials[score.trial]
        clip, t = trial.driving[score.frame]
        row = {
            "place": place,
            "person": trial.person,
            "trial": trial.name,
            "clip": context.store.clip(clip).clip,
            "frame": t,
            "seconds": f"{context.store.times(clip)[t]:.2f}",
            metric: f"{score.value:.4f}",
        }
        columns = {
            name: f"{value:.3f}" if isinstance(value, float) else value
            for name, value in asdict(one).items()
        }
        rows.append({**row, **columns, "reason": one.reason})
    return csv_table(rows)


def circumstances(context: FigureContext, trial: Trial, score: FrameScore, T: int) -> Circumstances:
    """Compare the target of a score's frame with the T source frames."""
    sources = load_landmarks(context.store, trial.gallery[:T])
    target = driving_landmarks(context.store, trial, sources, context.motion)[[score.frame]]
    sizes = np.log(face_size(target) / face_size(sources))
    mouths = mouth_opening(sources)
    return Circumstances(
        found=score.found,
        turn=float(degrees_from_sources(target, sources)[0]),
        tilt=float(abs(angles(target)[:, 2] - angles(sources)[:, 2]).min()),
        size=float(np.exp(sizes[abs(sizes).argmin()])),
        mouth=float(mouth_opening(target)[0]),
        least_source_mouth=float(mouths.min()),
        most_source_mouth=float(mouths.max()),
        lids=float(_lids(target)[0]),
        least_source_lids=float(_lids(sources).min()),
        around=_around(context, trial, score, T),
    )


def _lids(landmarks: np.ndarray) -> np.ndarray:
    upper, lower = LIDS
    gaps = np.linalg.norm(landmarks[:, lower] - landmarks[:, upper], axis=-1).mean(-1)
    return gaps / face_size(landmarks)


def _around(context: FigureContext, trial: Trial, score: FrameScore, T: int) -> float:
    if trial.truth is None:
        return float("nan")
    true = load_frames(context.store, (trial.truth[score.frame],), context.size).astype(np.float32)
    sources = load_frames(context.store, trial.gallery[:T], context.size).astype(np.float32)
    ring = np.ones((context.size, context.size), bool)
    edge = max(1, round(RING * context.size))
    ring[edge:-edge, edge:-edge] = False
    return float(abs(true - sources)[:, ring].mean((1, 2)).min())


def worst_scores(file: Path, metric: str) -> tuple[list[FrameScore], int]:
    """Return the worst 5 % of frames of the result `file` (.json), worst first, and the number of
    ranked frames.

    Frames without a value (no face was found) are not ranked. HeadmimeError if the metric is not
    defined per frame or has no direction.
    """
    if metric not in METRICS or METRICS[metric].better == 0:
        known = ", ".join(name for name, one in METRICS.items() if one.better)
        raise HeadmimeError(f"figures.worst={metric} is none of {known}.")
    scores: list[FrameScore] = []
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as arrays:
        for k, (trial, _) in enumerate(arrays["trials"].tolist()):
            name, faces = f"{k}/{metric}", arrays[f"{k}/found"]
            if name not in arrays or len(arrays[name]) != len(faces):
                raise HeadmimeError(f"figures.worst={metric} is not measured frame by frame.")
            values = zip(arrays[name].tolist(), faces.tolist(), strict=True)
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
    context: FigureContext,
    trials: Mapping[str, Trial],
    scores: Sequence[FrameScore],
    reasons: Sequence[str],
    T: int,
    metric: str,
    tile: int,
) -> np.ndarray:
    """Draw the frames of `scores` with their columns, in two blocks: uint8 [H, W, 3].

    Below each: its rank, the metric and its entry of `reasons`. `trials`: by name.
    """
    shown, one = _columns(context, trials, scores, T), METRICS[metric]
    lines = []
    for place, (score, reason) in enumerate(zip(scores, reasons, strict=True), start=1):
        value = f"{metric} {score.value:.{one.digits}f} {one.unit}".rstrip()
        lines.append(SheetRow(shown[score.trial, score.frame], note=f"{place}. {value}: {reason}"))
    heads = context.heads(trials[scores[0].trial])
    each = math.ceil(len(lines) / BLOCKS)
    blocks = [lines[start : start + each] for start in range(0, len(lines), each)]
    return join_sheets([draw_sheet(heads, block, tile) for block in blocks], gap=tile // 3)


def _columns(
    context: FigureContext, trials: Mapping[str, Trial], scores: Sequence[FrameScore], T: int
) -> dict[tuple[str, int], list[np.ndarray]]:
    """Images of each score; the frames of a trial are generated in one batch."""
    frames: dict[str, list[int]] = {}
    for score in scores:
        frames.setdefault(score.trial, []).append(score.frame)
    shown = {}
    for name, numbers in frames.items():
        columns = context.columns(trials[name], T, numbers)
        for place, number in enumerate(numbers):
            shown[name, number] = [column[place] for column in columns]
    return shown
