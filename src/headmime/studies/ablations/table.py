"""Markdown tables of an ablation study."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headmime.evaluation.formatting import (
    format_number,
    markdown_table,
    metric_label,
    row_name,
    table_heading,
)
from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.evaluation.results import Result, advantage, read_result, verdict

MARKS = {"better": " ▲", "worse": " ▼", "undecided": ""}

RowKey = tuple[str, str, int]
"""(mode, method, T) of a row."""


@dataclass(frozen=True)
class Variant:
    """A training: name, changed keys, number of episodes within its time, and result files of its
    rows.
    """

    name: str
    keys: Sequence[str]
    episodes: int
    files: Mapping[RowKey, Path]


def tables(variants: Sequence[Variant]) -> Iterator[str]:
    """Yield the lines of one table per cell; the first variant is the reference."""
    rows = [
        (one.name, " ".join(f"`{key}`" for key in one.keys), f"{one.episodes:,}")
        for one in variants
    ]
    yield from markdown_table(("variant", "keys", "episodes"), rows)
    for cell in variants[0].files:
        yield ""
        yield from _table(variants, cell)


def _table(variants: Sequence[Variant], cell: RowKey) -> Iterator[str]:
    results = {one.name: read_result(one.files[cell]) for one in variants}
    row = results[variants[0].name].row
    shown = select_metrics("ablations")
    names = [name for name in shown if any(name in one.metrics for one in results.values())]
    yield f"{table_heading(row)}, {row_name(row)}, {row['persons']} persons:"
    yield ""
    rows = [
        [one.name, *(_cell(results[one.name], one, variants[0], cell, name) for name in names)]
        for one in variants
    ]
    yield from markdown_table(["", *map(metric_label, names)], rows)


def _cell(result: Result, one: Variant, first: Variant, cell: RowKey, name: str) -> str:
    """A value, marked if its paired interval over persons against the reference excludes 0."""
    if name not in result.metrics:
        return ""
    value = format_number(result.metrics[name]["value"], name)
    if one is first or METRICS[name].better == 0:
        return value
    difference = advantage(one.files[cell], first.files[cell], name)
    return value if difference is None else value + MARKS[verdict(difference)]
