"""The identity gap: what the shape of the driver's face costs, measured where the truth is known.

With `motion=own` the landmarks of the true frames drive, so that nobody else's shape comes in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headmime.evaluation.cache import digest
from headmime.evaluation.method_table import METHODS
from headmime.evaluation.metric_table import select_metrics
from headmime.evaluation.results import Result
from headmime.evaluation.statistics import Estimate, paired_difference


@dataclass(frozen=True)
class Gap:
    """A row, and by metric its value minus that of the same row with `motion=own`."""

    row: Result
    differences: dict[str, Estimate]


def gaps(results: Sequence[Result]) -> Iterator[Gap]:
    """Of every row of which there is another that differs in `motion=own` alone.

    The 95 % intervals are paired, person by person.
    """
    own = {_but_for_motion(one): one for one in results if one.row["motion"] == "own"}
    for one in results:
        same = own.get(_but_for_motion(one))
        if same is None or one.row["motion"] == "own" or not METHODS[one.row["method"]].driven:
            continue
        shared = [
            name for name in select_metrics("gap") if name in one.persons and name in same.persons
        ]
        differences = {
            name: paired_difference(one.persons[name], same.persons[name]) for name in shared
        }
        yield Gap(one, differences)


def _but_for_motion(result: Result) -> str:
    return digest({key: value for key, value in result.row.items() if key != "motion"})
