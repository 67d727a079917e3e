"""The table of variants: numbers as measured, marks where the persons agree."""

import json
from pathlib import Path

from headmime.studies.ablations.table import Variant, tables

CELL = ("cross", "ff", 1)


def variant(folder: Path, name: str, keys: list[str], scores: dict[str, list[float]]) -> Variant:
    """A result file of as many persons as each score has values."""
    row = {"dataset": "tune", "mode": "cross", "motion": "relative", "method": "ff", "T": 1}
    content = {
        "format": 1,
        "row": row | {"persons": 4, "start": None},
        "metrics": {score: {"value": sum(v) / len(v)} for score, v in scores.items()},
        "persons": {score: dict(zip("abcd", v, strict=True)) for score, v in scores.items()},
        "scorers": {},
        "stand_in": True,
        "left_out": 0,
        "origin": {},
    }
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content))
    return Variant(name, keys, 12000, {CELL: file})


def test_marks_say_what_all_persons_say(tmp_path: Path) -> None:
    base = {
        "csim_source": [0.5, 0.6, 0.7, 0.8],
        "id_distance": [0.5, 0.6, 0.7, 0.8],
        "akd": [0.2, 0.2, 0.2, 0.2],
        "sharpness": [0.5, 0.5, 0.5, 0.5],
    }
    other = {
        "csim_source": [0.6, 0.7, 0.8, 0.9],  # more is better
        "id_distance": [0.6, 0.7, 0.8, 0.9],  # less is
        "akd": [0.1, 0.3, 0.1, 0.3],  # they disagree
        "sharpness": [0.9, 0.9, 0.9, 0.9],  # 1 is the aim: neither
    }
    variants = [
        variant(tmp_path, "base", [], base),
        variant(tmp_path, "wide", ["model.width=32"], other),
    ]
    lines = list(tables(variants))
    assert lines[2:5] == ["| base |  | 12,000 |", "| wide | `model.width=32` | 12,000 |", ""]
    assert lines[5] == (
        "tune: cross-reenactment of other people, relative motion, FF (feed-forward), T = 1, "
        "4 persons:"
    )
    assert lines[7] == "| | csim_source ↑ | id_distance ↓ | akd ↓ | sharpness |"
    assert lines[9] == "| base | 0.650 | 0.650 | 0.200 | 0.50 |"
    assert lines[10] == "| wide | 0.750 ▲ | 0.750 ▼ | 0.200 | 0.90 |"
