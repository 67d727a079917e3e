"""Formatting of rows, numbers and tables (Markdown, CSV)."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headmime.evaluation.method_table import METHODS, MODES
from headmime.evaluation.metric_table import METRICS
from headmime.evaluation.results import Result
from headmime.evaluation.statistics import Estimate
from headmime.learning.init_embeddings import OWN


def table_heading(row: Mapping[str, Any]) -> str:
    """Title of a table: data set, mode, motion."""
    return f"{row['dataset']}: {MODES[row['mode']]}, {row['motion']} motion"


def row_name(row: Mapping[str, Any]) -> str:
    """Method, T, and the initial embedding of fine-tuning unless it is the person's own."""
    start = row.get("start") or OWN
    elsewhere = "" if start == OWN else f" from the {start} start"
    return f"{METHODS[row['method']].title}{elsewhere}, T = {row['T']}"


def format_number(value: float | None, metric: str) -> str:
    """Format with the metric's digits; "-" for None and NaN; never "-0"."""
    if value is None or value != value:
        return "-"
    digits = METRICS[metric].digits
    return f"{round(value, digits) + 0.0:.{digits}f}"


def format_interval(estimate: Estimate, metric: str) -> str:
    """`value [low, high]`."""
    value, low, high = (
        format_number(getattr(estimate, end), metric) for end in ("value", "low", "high")
    )
    return f"{value} [{low}, {high}]"


def format_metric(result: Result, metric: str) -> str:
    """`value [low, high]` of a result's metric, starred if it has a note; "" if it is missing."""
    if metric not in result.metrics:
        return ""
    one = result.metrics[metric]
    value, low, high = (format_number(one[end], metric) for end in ("value", "low", "high"))
    return f"{value}{'*' if 'note' in one else ''} [{low}, {high}]"


def metric_label(metric: str) -> str:
    """Name and arrow towards better."""
    return f"{metric}{METRICS[metric].arrow}"


def csv_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Format rows as CSV, with the keys of the first row as header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    head = "|".join(f" {one} " if one else " " for one in heads)
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return [f"|{head}|", "|---" * len(heads) + "|", *lines]
