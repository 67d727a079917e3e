"""Differences between two rows, over the same persons: is one better, and how sure is that?"""

from pathlib import Path

from headmime.evaluation.intervals import Estimate, paired_difference, paired_set_difference
from headmime.evaluation.names import METRICS
from headmime.evaluation.results import SETS, Result, read_features, read_result


def advantage(one: Path, other: Path, metric: str) -> Estimate | None:
    """How much better result file `one` is than `other`: above 0 is better, whatever the metric.

    95 % interval by the paired bootstrap over the persons that both have. None if they share none.
    """
    sign = METRICS[metric].better
    if sign == 0:
        raise ValueError(f"{metric} has no better and worse")
    if metric in SETS:
        features = read_features(one), read_features(other)
        if not set(features[0]) & set(features[1]):
            return None
        difference = paired_set_difference(SETS[metric], *features)
    else:
        values = [_persons(read_result(file), metric) for file in (one, other)]
        if not set(values[0]) & set(values[1]):
            return None
        difference = paired_difference(*values)
    ends = sorted((sign * difference.low, sign * difference.high))
    return Estimate(sign * difference.value, *ends, difference.identities)


def verdict(advantage: Estimate) -> str:
    """ "better" or "worse" where the interval excludes 0, else "undecided"."""
    if advantage.low > 0:
        return "better"
    return "worse" if advantage.high < 0 else "undecided"


def _persons(result: Result, metric: str) -> dict[str, float]:
    return result.persons.get(metric, {})
