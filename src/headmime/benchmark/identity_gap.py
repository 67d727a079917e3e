"""Identity gap: the loss caused by the driver's face shape, measured with known true frames.

With `motion=own` the landmarks of the true frames drive, which have the person's own shape.
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
    """Differences, by metric, of a row minus the same row with `motion=own`."""

    row: Result
    differences: dict[str, Estimate]


def gaps(results: Sequence[Result]) -> Iterator[Gap]:
    """Yield the gap of every row that has a counterpart with `motion=own`.

    The 95 % intervals are paired, person by person.
    """
    own = {_key_without_motion(one): one for one in results if one.row["motion"] == "own"}
    for one in results:
        same = own.get(_key_without_motion(one))
        if same is None or one.row["motion"] == "own" or not METHODS[one.row["method"]].driven:
            continue
        shared = [
            name for name in select_metrics("gap") if name in one.persons and name in same.persons
        ]
        differences = {
            name: paired_difference(one.persons[name], same.persons[name]) for name in shared
        }
        yield Gap(one, differences)


def _key_without_motion(result: Result) -> str:
    return digest({key: value for key, value in result.row.items() if key != "motion"})
