"""USER and its intervals, against what is known by hand or from other libraries."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from headmime.studies.userstudy.answers import Answer
from headmime.studies.userstudy.report import bootstrap, to_csv, user_score, wilson
from headmime.studies.userstudy.study import Study

from .conftest import write_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return write_study(tmp_path / "study", 4)


def answer(study: Study, annotator: str, number: int, finds: bool) -> Answer:
    triplet = study.triplets[number]
    picked = triplet.generated if finds else triplet.real[1]
    return Answer(annotator, triplet.id, picked, 1000, "2026-01-01T00:00:00.000+00:00")


def test_user_is_found_over_answered(study: Study) -> None:
    answers = [answer(study, "anna", n, finds=n < 3) for n in range(4)]
    answers += [answer(study, "ben", 0, finds=False)]
    result = user_score(study, answers, "ft_T8")
    assert (result.found, result.answered, result.value) == (3, 5, 0.6)
    assert (result.annotators, result.people) == (2, 4)
    assert result.sequences == {"videos": 5, "clips": 0, "moments": 0}


def test_without_answers_there_is_no_number(study: Study) -> None:
    result = user_score(study, [], "ft_T8")
    assert (result.value, result.wilson, result.bootstrap) == (None, None, None)


@pytest.mark.parametrize(
    ("found", "answered", "low", "high"),
    [
        (0, 10, 0.0, 0.27754),
        (5, 10, 0.23659, 0.76341),
        (10, 10, 0.72246, 1.0),
        (1, 3, 0.06149, 0.79234),
    ],
)
def test_wilsons_interval_as_published_tables_have_it(
    found: int, answered: int, low: float, high: float
) -> None:
    assert wilson(found, answered) == pytest.approx((low, high), abs=1e-5)


def records(found: np.ndarray) -> list[dict]:
    """found [people, annotators]."""
    return [
        {"person": str(person), "annotator": str(annotator), "found": int(value)}
        for (person, annotator), value in np.ndenumerate(found)
    ]


def test_the_bootstrap_of_one_annotator_and_independent_people_is_the_binomials() -> None:
    found = (np.arange(400) % 4 == 0)[:, None]  # a quarter: standard error .0217
    low, high = bootstrap(records(found), seed=0)
    assert (low, high) == pytest.approx((0.25 - 0.0424, 0.25 + 0.0424), abs=0.005)


def test_the_bootstrap_is_wide_where_annotators_differ() -> None:
    """Ten answers of the same person's say little more than one: Wilson does not see that."""
    found = np.zeros((40, 6), int)
    found[:, :3] = 1  # three sharp-eyed, three blind annotators
    low, high = bootstrap(records(found), seed=0)
    assert low < 0.2 and high > 0.8
    narrow = wilson(120, 240)
    assert narrow[0] > 0.43 and narrow[1] < 0.57


def test_the_csv_says_everything_once(study: Study) -> None:
    answers = [answer(study, "anna", n, finds=n == 2) for n in range(4)]
    rows = list(csv.DictReader(io.StringIO(to_csv(study, answers))))
    assert [row["found"] for row in rows] == ["0", "0", "1", "0"]
    for row in rows:
        same = row["picked_position"] == row["generated_position"]
        assert same == (row["found"] == "1")
        assert row["row"] == "ft_T8" and row["annotator"] == "anna"
    shown = {trial.triplet: trial.images for trial in study.schedule("anna")}
    first = study.triplets[0]
    assert int(rows[0]["generated_position"]) == shown[first.id].index(first.generated) + 1
