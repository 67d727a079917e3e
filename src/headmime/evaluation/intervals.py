"""95 % intervals by the bootstrap over identities: persons are drawn with repetition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
SET_RESAMPLES = 100  # of statistics over sets of features, which take a moment each
LEVEL = (2.5, 97.5)

Features = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Person -> (real [n, D], fake [m, D])."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval over `identities` persons."""

    value: float
    low: float
    high: float
    identities: int


def mean_estimate(by_person: Mapping[str, float], seed: int = 0) -> Estimate:
    """The mean over persons. With fewer than two of them the interval is NaN."""
    values = np.array([by_person[name] for name in sorted(by_person)])
    if len(values) < 2:
        return Estimate(float(values.mean()), np.nan, np.nan, len(values))
    means = values[_draws(len(values), RESAMPLES, seed)].mean(1)
    low, high = np.percentile(means, LEVEL).tolist()
    return Estimate(float(values.mean()), low, high, len(values))


def set_estimate(
    statistic: Callable[[np.ndarray, np.ndarray], float], features: Features, seed: int = 0
) -> Estimate:
    """`statistic(real, fake)` of all persons' features together.

    Repeated persons inflate distances of distributions, so that the replicates are moved to have
    the value itself as their mean.
    """
    persons = sorted(features)
    value = _pooled(statistic, features, persons)
    if len(persons) < 2:
        return Estimate(value, np.nan, np.nan, len(persons))
    replicates = [
        _pooled(statistic, features, [persons[k] for k in draw])
        for draw in _draws(len(persons), SET_RESAMPLES, seed)
    ]
    low, high = (np.percentile(replicates, LEVEL) - np.mean(replicates) + value).tolist()
    return Estimate(value, low, high, len(persons))


def paired_difference(
    one: Mapping[str, float], other: Mapping[str, float], seed: int = 0
) -> Estimate:
    """Mean of `one` minus `other` over the persons that both have: the same draws for both."""
    shared = sorted(set(one) & set(other))
    return mean_estimate({name: one[name] - other[name] for name in shared}, seed)


def paired_set_difference(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    one: Features,
    other: Features,
    seed: int = 0,
) -> Estimate:
    """`statistic` of `one` minus that of `other` over the persons that both have, same draws."""
    shared = sorted(set(one) & set(other))

    def difference(persons: list[str]) -> float:
        return _pooled(statistic, one, persons) - _pooled(statistic, other, persons)

    value = difference(shared)
    if len(shared) < 2:
        return Estimate(value, np.nan, np.nan, len(shared))
    draws = _draws(len(shared), SET_RESAMPLES, seed)
    replicates = [difference([shared[k] for k in draw]) for draw in draws]
    low, high = (np.percentile(replicates, LEVEL) - np.mean(replicates) + value).tolist()
    return Estimate(value, low, high, len(shared))


def _draws(count: int, times: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(count, size=(times, count))


def _pooled(
    statistic: Callable[[np.ndarray, np.ndarray], float], features: Features, persons: list[str]
) -> float:
    real, fake = zip(*(features[name] for name in persons), strict=True)
    return statistic(np.concatenate(real), np.concatenate(fake))
