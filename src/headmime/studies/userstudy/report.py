"""USER: share of triplets whose generated image was identified, with intervals.

1/3 is chance level (a perfect method); 1 is the worst (the paper's Section 4, Table 1).
"""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from headmime.provenance.origin import software_origin
from headmime.studies.userstudy.answers import Answer
from headmime.studies.userstudy.study import Study

FORMAT = 1
CHANCE = 1 / 3
NORMAL_975 = 1.959964
RESAMPLES = 2000
COLUMNS = (
    "annotator", "triplet", "row", "person", "sequences", "picked_position", "generated_position",
    "found", "milliseconds", "answered",
)  # fmt: skip


@dataclass(frozen=True)
class User:
    """USER of a row. Both intervals are 95 %.

    `wilson` treats answers as independent; `bootstrap` resamples the people shown and the
    annotators, and so includes their variation. None without answers.
    """

    row: str
    found: int
    answered: int
    annotators: int
    people: int
    sequences: dict[str, int]  # number of answers by kind of triplet
    value: float | None
    wilson: tuple[float, float] | None
    bootstrap: tuple[float, float] | None


def user_score(study: Study, answers: Sequence[Answer], row: str, seed: int = 0) -> User:
    """Compute USER of a row: found / answered, with intervals."""
    rows = [record for record in records(study, answers) if record["row"] == row]
    found, answered = sum(record["found"] for record in rows), len(rows)
    kinds = [record["sequences"] for record in rows]
    return User(
        row=row,
        found=found,
        answered=answered,
        annotators=len({record["annotator"] for record in rows}),
        people=len({record["person"] for record in rows}),
        sequences={kind: kinds.count(kind) for kind in study.sequences},
        value=found / answered if answered else None,
        wilson=wilson(found, answered) if answered else None,
        bootstrap=bootstrap(rows, seed) if answered else None,
    )


def wilson(found: int, answered: int) -> tuple[float, float]:
    """95 % score interval of Wilson (1927) for a share of independent answers."""
    share, z2 = found / answered, NORMAL_975**2
    centre = share + z2 / (2 * answered)
    half_width = NORMAL_975 * math.sqrt(share * (1 - share) / answered + z2 / (4 * answered**2))
    scale = 1 + z2 / answered
    return max(0.0, (centre - half_width) / scale), min(1.0, (centre + half_width) / scale)


def bootstrap(rows: Sequence[dict[str, Any]], seed: int) -> tuple[float, float]:
    """95 % percentile interval over people and annotators, resampled independently.

    Pigeonhole bootstrap (Owen 2007): an answer's weight is the product of the counts of its person
    and its annotator. Zero width if all answers agree, unlike Wilson's.
    """
    people, person = np.unique([record["person"] for record in rows], return_inverse=True)
    annotators, annotator = np.unique([record["annotator"] for record in rows], return_inverse=True)
    counts = np.zeros((2, len(people), len(annotators)))  # found, answered
    np.add.at(counts[1], (person, annotator), 1)
    np.add.at(counts[0], (person, annotator), [record["found"] for record in rows])
    rng = np.random.default_rng(seed)

    def weights(n: int) -> np.ndarray:
        return rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float)

    found, answered = np.einsum(
        "bp,kpa,ba->kb", weights(len(people)), counts, weights(len(annotators)), optimize=True
    )
    shares = found[answered > 0] / answered[answered > 0]
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(low), float(high)


def records(study: Study, answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return one dict per answer, with keys COLUMNS; positions are 1, 2, 3 from left to right."""
    shown = {
        annotator: {trial.triplet: trial.images for trial in study.schedule(annotator)}
        for annotator in {answer.annotator for answer in answers}
    }
    rows = []
    for answer in answers:
        triplet = study.by_id[answer.triplet]
        images = shown[answer.annotator][answer.triplet]
        values = (
            answer.annotator,
            triplet.id,
            triplet.row,
            triplet.person,
            triplet.sequences,
            images.index(answer.picked) + 1,
            images.index(triplet.generated) + 1,
            int(answer.picked == triplet.generated),
            answer.milliseconds,
            answer.answered,
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def to_json(study: Study, answers: Sequence[Answer]) -> str:
    """USER of every row with everything that it depends on, as JSON."""
    content = {
        "format": FORMAT,
        "metric": "user",
        "chance": CHANCE,
        "intervals": {
            "wilson": "95 %, answers treated as independent",
            "bootstrap": "95 %, over people shown and annotators",
        },
        "rows": {
            row: {**asdict(user_score(study, answers, row)), "of": study.rows[row]}
            for row in study.rows
        },
        "study": {
            "sha256": study.hash,
            "title": study.title,
            "seed": study.seed,
            "triplets": len(study.triplets),
            "sequences": study.sequences,
            "left_out": study.left_out,
            "prepared": study.origin,
        },
        "origin": software_origin(),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def to_csv(study: Study, answers: Sequence[Answer]) -> str:
    """All answers as CSV, one line each."""
    text = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records(study, answers))
    return text.getvalue()
