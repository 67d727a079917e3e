"""Which frames curves are taken on, and what their points say."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from headmime.evaluation.evaluate import EvalContext, Row
from headmime.evaluation.results import write_json
from headmime.evaluation.statistics import Estimate
from headmime.evaluation.trials import Trial, load_landmarks
from headmime.studies.finetune_curves.table import (
    Point,
    as_csv,
    distance_to_sources,
    group_by_person,
    join_rows,
    on_distant_frames,
    point,
)

from .conftest import face


def test_unlike_is_the_distance_to_the_nearest_source() -> None:
    sources = np.stack([face(0.02, 0.0), face(0.02, 0.06)])
    shown = np.stack([face(0.02, 0.0), face(0.02, 0.055), face(0.02, 0.03), face(0.14, 0.0)])
    far = distance_to_sources(shown, sources)
    assert far[0] == 0 and far[1] < far[2]
    assert far[3] > far[2] > 0  # a mouth that opens counts, too


def test_the_frames_least_like_the_sources_are_kept_in_their_order(context: EvalContext) -> None:
    trial = context.trials[0]
    kept = on_distant_frames(context.store, trial, 2, 5)
    assert len(kept.driving) == 5 and kept.truth == kept.driving
    assert list(kept.driving) == sorted(kept.driving) and kept.gallery == trial.gallery
    sources = load_landmarks(context.store, trial.gallery[:2])
    others = [ref for ref in trial.driving if ref not in kept.driving]
    least = distance_to_sources(load_landmarks(context.store, kept.driving), sources).min()
    assert least >= distance_to_sources(load_landmarks(context.store, others), sources).max()


def test_trials_of_one_person_and_the_same_sources_share_a_fine_tuning(
    context: EvalContext,
) -> None:
    trials = [*context.trials]
    groups = group_by_person([*trials, *trials])
    assert [len(group) for group in groups.values()] == [2] * len(trials)


def trial(name: str, person: str) -> Trial:
    return Trial(name, person, ((0, 0),), ((0, 1),), None)


def test_a_point_is_the_mean_over_persons_of_their_means() -> None:
    one = Row([trial("a", "x")], [{"akd": np.array([1.0, np.nan, 3.0])}], [None])
    two = Row([trial("b", "y")], [{"akd": np.array([6.0]), "found": np.array([1.0])}], [None])
    found = point("default", 1, "cross", 10, join_rows([one, two]))
    assert found.scores["akd"].value == pytest.approx((2 + 6) / 2)
    assert found.scores["akd"].identities == 2
    assert found.scores["found"] == Estimate(1.0, pytest.approx(np.nan, nan_ok=True),
                                             pytest.approx(np.nan, nan_ok=True), 1)  # fmt: skip


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    estimate = Estimate(0.25, np.nan, np.nan, 1)
    points = [Point("slow", 8, "self", 20, {"akd": estimate})]
    (line,) = csv.DictReader(io.StringIO(as_csv(points)))
    assert (line["setting"], line["T"], line["mode"], line["step"]) == ("slow", "8", "self", "20")
    assert (line["score"], float(line["value"]), line["persons"]) == ("akd", 0.25, "1")
    file = write_json(tmp_path / "points.json", list(map(asdict, points)))
    (entry,) = json.loads(file.read_text())
    assert entry["scores"]["akd"] == {"value": 0.25, "low": None, "high": None, "identities": 1}
