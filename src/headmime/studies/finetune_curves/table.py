"""Scores during fine-tuning: selection of scored frames, and means over persons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from headmime.data.store import Store
from headmime.evaluation.evaluate import Row
from headmime.evaluation.formatting import csv_table
from headmime.evaluation.metric_table import select_metrics
from headmime.evaluation.results import values_by_person
from headmime.evaluation.statistics import Estimate, mean_estimate
from headmime.evaluation.trials import Trial, load_landmarks
from headmime.landmarks.points import head_turn, mouth_opening

TURN, MOUTH = 0.08, 0.05  # units of distance: 16 degrees of turn, lips apart as in speech


@dataclass(frozen=True)
class Point:
    """Means over persons after `step` updates of a fine-tuning on T frames."""

    setting: str
    T: int
    mode: str
    step: int
    scores: dict[str, Estimate]


def distance_to_sources(landmarks: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Distance of head turn and mouth opening [n, 68, 2] to the nearest source [T, 68, 2]: [n].

    1 is 16 degrees of turn, or lips as far apart as in speech.
    """
    turn = abs(head_turn(landmarks)[:, None] - head_turn(sources)) / TURN
    mouth = abs(mouth_opening(landmarks)[:, None] - mouth_opening(sources)) / MOUTH
    return (turn + mouth).min(1)


def on_distant_frames(store: Store, trial: Trial, T: int, count: int) -> Trial:
    """Reduce a self-reenactment to the `count` frames most distant from the first T sources."""
    far = distance_to_sources(
        load_landmarks(store, trial.driving), load_landmarks(store, trial.gallery[:T])
    )
    frames = tuple(trial.driving[k] for k in sorted(np.argsort(-far, kind="stable")[:count]))
    return replace(trial, driving=frames, truth=frames)


def group_by_person(trials: Sequence[Trial]) -> dict[tuple, list[Trial]]:
    """Group trials that share a fine-tuning: same person and sources."""
    groups: dict[tuple, list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.person, trial.gallery), []).append(trial)
    return groups


def join_rows(rows: Iterable[Row]) -> Row:
    """Concatenate rows of single trials."""
    rows = list(rows)
    return Row(
        [trial for row in rows for trial in row.trials],
        [scores for row in rows for scores in row.scores],
        [pair for row in rows for pair in row.features],
    )


def point(setting: str, T: int, mode: str, step: int, row: Row) -> Point:
    """Average the trials of `row` over persons, with intervals."""
    scores = {}
    for name in select_metrics("curves"):
        if persons := values_by_person(row, name):
            scores[name] = mean_estimate({who: float(v.mean()) for who, v in persons.items()})
    return Point(setting, T, mode, step, scores)


def as_csv(points: Sequence[Point]) -> str:
    """Format points as CSV, one line per score."""
    return csv_table(
        [
            {
                **{key: getattr(one, key) for key in ("setting", "T", "mode", "step")},
                "score": name,
                **{end: f"{getattr(estimate, end):.5g}" for end in ("value", "low", "high")},
                "persons": estimate.identities,
            }
            for one in points
            for name, estimate in one.scores.items()
        ]
    )
