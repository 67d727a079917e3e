"""What short trainings with one thing changed each are worth: tables in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headmime.evaluation.cells import heading, number, row_name
from headmime.evaluation.compare import advantage, verdict
from headmime.evaluation.names import METRICS
from headmime.evaluation.report import ARROWS
from headmime.evaluation.results import Result, read_result

SCORES = (
    "csim_source", "id_distance", "nearer", "ssim", "lpips", "akd", "mouth_correlation",
    "mouth_amplitude", "turn_correlation", "turn_amplitude", "eye_correlation", "eye_amplitude",
    "face_sharpness", "sharpness", "colour_drift",
)  # fmt: skip
MARKS = {"better": " ▲", "worse": " ▼", "undecided": ""}

Cell = tuple[str, str, int]
"""(mode, method, T) of a row."""


@dataclass(frozen=True)
class Variant:
    """A training: its name, the keys that it changes, how many episodes it saw in its time, and the
    result files of its rows.
    """

    name: str
    keys: Sequence[str]
    episodes: int
    files: Mapping[Cell, Path]


def tables(variants: Sequence[Variant]) -> Iterator[str]:
    """Lines of one table for each cell; the first variant is what the others are compared with."""
    yield "| variant | keys | episodes |"
    yield "|---|---|---|"
    for one in variants:
        yield f"| {one.name} | {' '.join(f'`{key}`' for key in one.keys)} | {one.episodes:,} |"
    for cell in variants[0].files:
        yield ""
        yield from _table(variants, cell)


def _table(variants: Sequence[Variant], cell: Cell) -> Iterator[str]:
    results = {one.name: read_result(one.files[cell]) for one in variants}
    row = results[variants[0].name].row
    names = [name for name in SCORES if any(name in r.metrics for r in results.values())]
    yield f"{heading(row)}, {row_name(row)}, {row['persons']} persons:"
    yield ""
    yield "| | " + " | ".join(f"{name}{ARROWS[METRICS[name].better]}" for name in names) + " |"
    yield "|---|" + "---|" * len(names)
    for one in variants:
        marks = {name: _mark(one, variants[0], cell, name) for name in names}
        cells = [_cell(results[one.name], name) + marks[name] for name in names]
        yield f"| {one.name} | {' | '.join(cells)} |"


def _mark(one: Variant, first: Variant, cell: Cell, name: str) -> str:
    """Better or worse than the first, where the paired interval over persons excludes 0."""
    if one is first or METRICS[name].better == 0:
        return ""
    difference = advantage(one.files[cell], first.files[cell], name)
    return "" if difference is None else MARKS[verdict(difference)]


def _cell(result: Result, name: str) -> str:
    if name not in result.metrics:
        return ""
    return number(result.metrics[name]["value"], name)
