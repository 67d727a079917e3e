"""The project's goals for real people, and whether a table's results reach them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headmime.evaluation.formatting import format_interval, format_number, row_name
from headmime.evaluation.method_table import WITHOUT_TRUTH
from headmime.evaluation.metric_table import METRICS
from headmime.evaluation.results import Result
from headmime.evaluation.statistics import Estimate, mean_estimate, paired_difference

REAL = "real"
"""Prefix of the names of data sets to which the goals apply."""

AGAINST_WARP = ("lpips", "csim")
NEAR_SHARE = 0.1  # of the warp's value: allowed deficit of FT for small head turns
WARP_T = 8
IDENTITY = (("ff", 1, 0.25), ("ff", 8, 0.35), ("ft", 1, 0.5), ("ft", 8, 0.8))
"""(method, T, minimum share of frames whose nearest person is the right one)."""
CROSS = (
    ("mouth_correlation", 0.85, np.inf),
    ("turn_correlation", 0.8, np.inf),
    ("eye_correlation", 0.7, np.inf),
    ("mouth_amplitude", 0.75, 1.15),
    ("turn_amplitude", 0.75, 1.15),
    ("eye_amplitude", 0.7, np.inf),
    ("face_sharpness", 0.35, 1.2),
    ("id_distance", -np.inf, 0.4),
    ("nearer", 0.9, np.inf),
)
"""(metric, least, most) of FT with one image and another driver."""


@dataclass(frozen=True)
class Outcome:
    """A goal, the measured value, and whether it is reached; None: not measurable."""

    goal: str
    measured: str
    reached: bool | None

    @property
    def verdict(self) -> str:
        """Markdown text of `reached`."""
        return {True: "**reached**", False: "not reached", None: "not measured"}[self.reached]


def outcomes(table: Sequence[Result]) -> Iterator[Outcome]:
    """Yield outcomes of the goals that apply to the rows of one table (same data, mode, motion)."""
    mode = table[0].row["mode"]
    if not table[0].row["dataset"].startswith(REAL):
        return
    if mode == "self":
        for ft in _rows(table, "ft", WARP_T):
            for warp in _rows(table, "warp", WARP_T):
                yield from _against_warp(ft, warp)
        for method, T, minimum in IDENTITY:
            for row in _rows(table, method, T):
                yield _identity(row, _rows(table, "real", T), minimum)
    if mode in WITHOUT_TRUTH:
        for ft in _rows(table, "ft", 1):
            for metric, least, most in CROSS:
                yield _within(ft, metric, least, most)


def _rows(table: Sequence[Result], method: str, T: int) -> list[Result]:
    return [one for one in table if (one.row["method"], one.row["T"]) == (method, T)]


def _against_warp(ft: Result, warp: Result) -> Iterator[Outcome]:
    name = row_name(ft.row)
    for metric in AGAINST_WARP:
        far, near = f"{metric}@turned", f"{metric}@near"
        goal = f"{name}: better than the warp in `{far}`"
        margin = _margin(ft, warp, far, 0.0)
        # "Better" requires an interval that excludes 0.
        yield _warp_outcome(goal, ft, warp, far, margin, margin is not None and margin.low > 0)
        goal = f"{name}: at most {NEAR_SHARE:.0%} worse than the warp in `{near}`"
        margin = _margin(ft, warp, near, NEAR_SHARE)
        yield _warp_outcome(goal, ft, warp, near, margin, margin is not None and margin.value >= 0)


def _margin(ft: Result, warp: Result, metric: str, share: float) -> Estimate | None:
    """Improvement of FT over the allowed value: the warp's, degraded by `share`."""
    ours, theirs = ft.persons.get(metric, {}), warp.persons.get(metric, {})
    if not set(ours) & set(theirs):
        return None
    sign = METRICS[metric].better
    allowed = {person: sign * (1 - sign * share) * value for person, value in theirs.items()}
    return paired_difference({person: sign * value for person, value in ours.items()}, allowed)


def _warp_outcome(
    goal: str, ft: Result, warp: Result, metric: str, margin: Estimate | None, reached: bool
) -> Outcome:
    if margin is None:
        return Outcome(goal, "no such frame", None)
    both = set(ft.persons[metric]) & set(warp.persons[metric])
    ours, theirs = (
        float(np.mean([one.persons[metric][who] for who in both])) for one in (ft, warp)
    )
    values = (
        f"FT {format_number(ours, metric)}, warp {format_number(theirs, metric)}; "
        f"margin {format_interval(margin, metric)}, {_people(margin)}"
    )
    return Outcome(goal, values, reached)


def _identity(row: Result, ceilings: Sequence[Result], minimum: float) -> Outcome:
    outcome = _within(row, "id_rank1", minimum)
    ceiling = "".join(
        f"; ceiling {format_number(one.metrics['id_rank1']['value'], 'id_rank1')}"
        for one in ceilings[:1]
    )
    return Outcome(outcome.goal, outcome.measured + ceiling, outcome.reached)


def _within(row: Result, metric: str, least: float, most: float = np.inf) -> Outcome:
    bounds = [
        f"{word} {format_number(bound, metric)}"
        for word, bound in (("at least", least), ("at most", most))
        if np.isfinite(bound)
    ]
    goal = f"{row_name(row.row)}: `{metric}` {', '.join(bounds)}"
    if metric not in row.persons:
        return Outcome(goal, "no driving moves enough to measure it", None)
    measured = mean_estimate(row.persons[metric])
    interval = f"{format_interval(measured, metric)}, {_people(measured)}"
    return Outcome(goal, interval, least <= measured.value <= most)


def _people(estimate: Estimate) -> str:
    return f"{estimate.identities} person{'s' * (estimate.identities > 1)}"
