"""Markdown tables of a protection study."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headmime.evaluation.formatting import (
    format_interval,
    format_metric,
    markdown_table,
    metric_label,
    row_name,
    table_heading,
)
from headmime.evaluation.metric_table import select_metrics
from headmime.evaluation.results import read_result
from headmime.evaluation.statistics import paired_difference

TREATMENTS = ("clean", "noise", "protected")
PAIRS = (("protected", "noise"), ("protected", "clean"), ("noise", "clean"))


@dataclass(frozen=True)
class Cell:
    """Result files by treatment, of one method with `weights` ("seen": those that the noise was
    made against) after one platform.
    """

    weights: str
    method: str
    T: int
    platform: str
    files: Mapping[str, Path]

    def rows(self) -> Iterator[tuple[dict[str, Any], Path]]:
        """Yield (what the row is, its file)."""
        for treatment, file in self.files.items():
            what = {"weights": self.weights, "method": self.method, "platform": self.platform}
            yield {**what, "treatment": treatment}, file


def tables(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the lines of a table per cell: each treatment, then paired differences over persons."""
    for cell in cells:
        results = {name: read_result(file) for name, file in cell.files.items()}
        names = [m for m in select_metrics("protection") if m in results["clean"].metrics]
        row = results["clean"].row
        yield f"{table_heading(row)}, {row_name(row)}, {row['persons']} persons; weights: " + (
            f"{cell.weights}; platform: {cell.platform}."
        )
        yield ""
        rows = [[name, *(format_metric(one, m) for m in names)] for name, one in results.items()]
        for pair in PAIRS:
            one, other = (results[name].persons for name in pair)
            differences = [paired_difference(one[m], other[m]) for m in names]
            shown = map(format_interval, differences, names)
            rows.append([" - ".join(pair), *shown])
        yield from markdown_table(["", *map(metric_label, names)], rows)
        yield ""
