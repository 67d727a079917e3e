"""How rows and numbers are written in the report."""

from collections.abc import Mapping
from typing import Any

from headmime.evaluation.intervals import Estimate
from headmime.evaluation.names import METRICS
from headmime.learning.starts import OWN

METHODS = {
    "ff": "FF (feed-forward)",
    "ft": "FT (fine-tuned)",
    "warp": "warp of the nearest frame",
    "nearest": "nearest frame",
    "copy": "first frame",
    "mean": "mean frame",
    "real": "real frames (ceiling)",
}
MODES = {
    "self": "self-reenactment",
    "cross": "cross-reenactment of other people",
    "truth": "cross-reenactment with ground truth",
    "portrait": "single pictures, driven by other people",
}


def heading(row: Mapping[str, Any]) -> str:
    """What a table is called: data set, mode, motion."""
    return f"{row['dataset']}: {MODES[row['mode']]}, {row['motion']} motion"


def row_name(row: Mapping[str, Any]) -> str:
    """Method, T, and the start of fine-tuning where it is not the person's own."""
    start = row.get("start") or OWN
    elsewhere = "" if start == OWN else f" from the {start} start"
    return f"{METHODS[row['method']]}{elsewhere}, T = {row['T']}"


def number(value: float | None, metric: str) -> str:
    """With the metric's digits; "-" where there is no interval, and no minus before a zero."""
    if value is None or value != value:
        return "-"
    digits = METRICS[metric].digits
    return f"{round(value, digits) + 0.0:.{digits}f}"


def with_interval(estimate: Estimate, metric: str) -> str:
    """`value [low, high]`."""
    value, low, high = (
        number(one, metric) for one in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} [{low}, {high}]"
