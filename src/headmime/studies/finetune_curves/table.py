"""Scores over the length of a fine-tuning: which frames they are taken on, and their means."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from headmime.data.store import Store
from headmime.evaluation.evaluate import Row
from headmime.evaluation.formatting import csv_table
from headmime.evaluation.metric_table import select_metrics
from headmime.evaluation.results import values_by_person
from headmime.evaluation.statistics import Estimate, mean_estimate
from headmime.evaluation.trials import Trial, load_landmarks
from headmime.landmarks.points import head_turn, mouth_opening

TURN, MOUTH = 0.08, 0.05  # 16 degrees, and lips apart as in speaking, count alike


@dataclass(frozen=True)
class Point:
    """Means over persons after `step` updates of a fine-tuning on T frames."""

    setting: str
    T: int
    mode: str
    step: int
    scores: dict[str, Estimate]


def distance_to_sources(landmarks: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """How far heads and mouths [n, 68, 2] are from those of the nearest source [T, 68, 2]: [n].

    1 is 16 degrees of turn, or lips as far apart as in speaking.
    """
    turn = abs(head_turn(landmarks)[:, None] - head_turn(sources)) / TURN
    mouth = abs(mouth_opening(landmarks)[:, None] - mouth_opening(sources)) / MOUTH
    return (turn + mouth).min(1)


def on_distant_frames(store: Store, trial: Trial, T: int, count: int) -> Trial:
    """A self-reenactment, of which the `count` frames most unlike the first T sources are kept."""
    far = distance_to_sources(
        load_landmarks(store, trial.driving), load_landmarks(store, trial.gallery[:T])
    )
    kept = tuple(trial.driving[k] for k in sorted(np.argsort(-far, kind="stable")[:count]))
    return replace(trial, driving=kept, truth=kept)


def group_by_person(trials: Sequence[Trial]) -> dict[tuple, list[Trial]]:
    """Trials that share a fine-tuning: those of one person and the same sources."""
    groups: dict[tuple, list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.person, trial.gallery), []).append(trial)
    return groups


def join_rows(rows: Iterable[Row]) -> Row:
    """Rows of single trials as one."""
    rows = list(rows)
    return Row(
        [trial for row in rows for trial in row.trials],
        [scores for row in rows for scores in row.scores],
        [pair for row in rows for pair in row.features],
    )


def point(setting: str, T: int, mode: str, step: int, row: Row) -> Point:
    """What the trials of `row` say, as means over persons with intervals."""
    persons = {name: values_by_person(row, name) for name in select_metrics("curves")}
    return Point(
        setting,
        T,
        mode,
        step,
        {
            name: mean_estimate({person: float(v.mean()) for person, v in of_name.items()})
            for name, of_name in persons.items()
            if of_name
        },
    )


def as_csv(points: Sequence[Point]) -> str:
    """A line for each score of each point."""
    return csv_table(
        [
            {
                **{key: getattr(one, key) for key in ("setting", "T", "mode", "step")},
                "score": name,
                **{end: f"{getattr(found, end):.5g}" for end in ("value", "low", "high")},
                "persons": found.identities,
            }
            for one in points
            for name, found in one.scores.items()
        ]
    )


def as_entries(points: Sequence[Point]) -> Iterator[dict]:
    """The same for JSON, where an interval that is not known is null."""
    for one in points:
        entry = asdict(one)
        for found in entry["scores"].values():
            for end in ("low", "high"):
                found[end] = None if np.isnan(found[end]) else found[end]
        yield entry
