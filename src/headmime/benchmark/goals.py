"""Comparisons of rows in the report: the goals for real people, and the identity gap."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from headmime.evaluation.cache import digest
from headmime.evaluation.formatting import format_interval, format_number, row_name
from headmime.evaluation.method_table import METHODS, WITHOUT_TRUTH
from headmime.evaluation.metric_table import METRICS, select_metrics
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
        # "Better" requires an interval that excludes 0.
        yield _warp_outcome(goal, ft, warp, far, 0.0, lambda margin: margin.low > 0)
        goal = f"{name}: at most {NEAR_SHARE:.0%} worse than the warp in `{near}`"
        yield _warp_outcome(goal, ft, warp, near, NEAR_SHARE, lambda margin: margin.value >= 0)


def _warp_outcome(
    goal: str,
    ft: Result,
    warp: Result,
    metric: str,
    share: float,
    reached: Callable[[Estimate], bool],
) -> Outcome:
    """Judge the improvement of FT over the allowed value: the warp's, degraded by `share`."""
    ours, theirs = ft.persons.get(metric, {}), warp.persons.get(metric, {})
    both = set(ours) & set(theirs)
    if not both:
        return Outcome(goal, "no such frame", None)
    sign = METRICS[metric].better
    allowed = {person: sign * (1 - sign * share) * value for person, value in theirs.items()}
    margin = paired_difference({person: sign * value for person, value in ours.items()}, allowed)
    means = [float(np.mean([values[who] for who in both])) for values in (ours, theirs)]
    values = (
        f"FT {format_number(means[0], metric)}, warp {format_number(means[1], metric)}; "
        f"margin {format_interval(margin, metric)}, {_people(margin)}"
    )
    return Outcome(goal, values, reached(margin))


def _identity(row: Result, ceilings: Sequence[Result], minimum: float) -> Outcome:
    outcome = _within(row, "id_rank1", minimum)
    if not ceilings:
        return outcome
    ceiling = format_number(ceilings[0].metrics["id_rank1"]["value"], "id_rank1")
    return replace(outcome, measured=f"{outcome.measured}; ceiling {ceiling}")


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


class Gap(NamedTuple):
    """Differences, by metric, of a row minus the same row with `motion=own`."""

    row: Result
    differences: dict[str, Estimate]


def gaps(results: Sequence[Result]) -> Iterator[Gap]:
    """Yield the identity gap of every row that has a counterpart with `motion=own`: the loss caused
    by the driver's face shape, since the landmarks of the true frames have the person's own.

    The 95 % intervals are paired, person by person.
    """
    own = {_key_without_motion(one): one for one in results if one.row["motion"] == "own"}
    for one in results:
        same = own.get(_key_without_motion(one))
        if same is None or one.row["motion"] == "own" or not METHODS[one.row["method"]].driven:
            continue
        shared = [m for m in select_metrics("gap") if m in one.persons and m in same.persons]
        differences = {m: paired_difference(one.persons[m], same.persons[m]) for m in shared}
        yield Gap(one, differences)


def _key_without_motion(result: Result) -> str:
    return digest({key: value for key, value in result.row.items() if key != "motion"})
