"""Paired bootstrap over identities and seeds: all statistics use the same resamples.

Differences are taken within each resample, so that shared variation cancels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

RESAMPLES = 2000
SET_RESAMPLES = 100  # of FID and KID, which are slow
LEVEL = (2.5, 97.5)

Features = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Person -> (real [n, D], fake [m, D])."""

Statistic = Callable[[np.ndarray, np.ndarray], float]
"""(real, fake) -> a number, such as FID."""


@dataclass(frozen=True)
class Estimate:
    """Value with 95 % interval over `identities` persons."""

    value: float
    low: float
    high: float
    identities: int


@dataclass(frozen=True)
class BootstrapDraws:
    """Resampled indices of persons [R, P] and of seeds [R, S]."""

    persons: np.ndarray
    seeds: np.ndarray

    @classmethod
    def of(cls, persons: int, seeds: int = 1, times: int = RESAMPLES, seed: int = 0) -> Self:
        """Draw `times` resamples of `persons` persons and, independently, of `seeds` seeds."""
        rng = np.random.default_rng(seed)
        return cls(
            rng.integers(persons, size=(times, persons)), rng.integers(seeds, size=(times, seeds))
        )


@dataclass(frozen=True)
class BootstrapSample:
    """A value and its bootstrap replicates [R]. Samples of the same draws support - and *, and stay
    paired.
    """

    value: float
    drawn: np.ndarray

    def __sub__(self, other: "BootstrapSample") -> "BootstrapSample":
        return BootstrapSample(self.value - other.value, self.drawn - other.drawn)

    def __rmul__(self, factor: float) -> "BootstrapSample":
        return BootstrapSample(factor * self.value, factor * self.drawn)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval. Repeated persons bias FID and KID upwards, so the replicates are shifted
        to have the value as their mean.
        """
        low, high = np.percentile(self.drawn, LEVEL) - self.drawn.mean() + self.value
        return float(low), float(high)


def mean_sample(values: np.ndarray, draws: BootstrapDraws) -> BootstrapSample:
    """Mean of values [S, P] over persons and seeds."""
    each = values[draws.seeds[:, :, None], draws.persons[:, None, :]]
    return BootstrapSample(float(values.mean()), each.mean((1, 2)))


def set_sample(
    statistic: Statistic, features: Sequence[Features], draws: BootstrapDraws
) -> BootstrapSample:
    """Mean over seeds of `statistic(real, fake)` of all persons' pooled features.

    `features` has one entry per seed, each with the same persons.
    """
    names = sorted(features[0])
    values, drawn = [], []
    for of_seed in features:
        people = [of_seed[name] for name in names]
        values.append(_pooled(statistic, people, range(len(people))))
        drawn.append([_pooled(statistic, people, draw) for draw in draws.persons])
    each = np.take_along_axis(np.array(drawn).T, draws.seeds, 1)  # [R, S]
    return BootstrapSample(float(np.mean(values)), each.mean(1))


def mean_estimate(by_person: Mapping[str, float]) -> Estimate:
    """Mean over persons. The interval is NaN for fewer than two persons."""
    values = np.array([by_person[name] for name in sorted(by_person)])
    if len(values) < 2:
        return Estimate(float(values.mean()), np.nan, np.nan, len(values))
    sample = mean_sample(values[None], BootstrapDraws.of(len(values)))
    low, high = np.percentile(sample.drawn, LEVEL).tolist()
    return Estimate(sample.value, low, high, len(values))


def paired_difference(one: Mapping[str, float], other: Mapping[str, float]) -> Estimate:
    """Mean of `one` minus `other` over the shared persons, with the same resamples."""
    shared = sorted(set(one) & set(other))
    return mean_estimate({name: one[name] - other[name] for name in shared})


def set_estimate(statistic: Statistic, features: Features) -> Estimate:
    """`statistic(real, fake)` of all persons' pooled features."""
    return _set_estimate(lambda draws: set_sample(statistic, [features], draws), len(features))


def paired_set_difference(statistic: Statistic, one: Features, other: Features) -> Estimate:
    """`statistic` of `one` minus that of `other` over the shared persons, same resamples."""
    shared = set(one) & set(other)
    both = [{name: features[name] for name in shared} for features in (one, other)]

    def difference(draws: BootstrapDraws) -> BootstrapSample:
        ours, theirs = (set_sample(statistic, [features], draws) for features in both)
        return ours - theirs

    return _set_estimate(difference, len(shared))


def _set_estimate(sample: Callable[[BootstrapDraws], BootstrapSample], persons: int) -> Estimate:
    if persons < 2:
        return Estimate(sample(BootstrapDraws.of(persons, times=1)).value, np.nan, np.nan, persons)
    result = sample(BootstrapDraws.of(persons, times=SET_RESAMPLES))
    return Estimate(result.value, *result.interval, persons)


def _pooled(
    statistic: Statistic, people: Sequence[tuple[np.ndarray, np.ndarray]], chosen: Sequence[int]
) -> float:
    real, fake = zip(*(people[k] for k in chosen), strict=True)
    return statistic(np.concatenate(real), np.concatenate(fake))
