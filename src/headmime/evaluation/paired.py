"""Paired bootstrap over identities and seeds: every number is drawn again with the same draws."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from headmime.evaluation.intervals import LEVEL, Features

DRAWS = 2000
SET_DRAWS = 300  # of FID, which takes a moment each


@dataclass(frozen=True)
class Draws:
    """Who is drawn, with repetition: numbers of persons [R, P] and of seeds [R, S]."""

    persons: np.ndarray
    seeds: np.ndarray

    @classmethod
    def of(cls, persons: int, seeds: int, times: int = DRAWS, seed: int = 0) -> Self:
        """`times` draws of `persons` persons and, independently, of `seeds` seeds."""
        rng = np.random.default_rng(seed)
        return cls(
            rng.integers(persons, size=(times, persons)), rng.integers(seeds, size=(times, seeds))
        )


@dataclass(frozen=True)
class Sample:
    """A value, and what it is in each of the draws, [R]. Samples of the same draws are subtracted
    and weighted like numbers, and stay paired.
    """

    value: float
    drawn: np.ndarray

    def __sub__(self, other: "Sample") -> "Sample":
        return Sample(self.value - other.value, self.drawn - other.drawn)

    def __mul__(self, factor: float) -> "Sample":
        return Sample(factor * self.value, factor * self.drawn)

    __rmul__ = __mul__

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval. Repeated persons inflate distances of distributions, so that the draws
        are moved to have the value itself as their mean.
        """
        low, high = np.percentile(self.drawn, LEVEL) - self.drawn.mean() + self.value
        return float(low), float(high)


def mean_sample(values: np.ndarray, draws: Draws) -> Sample:
    """The mean of values [S, P] over persons and seeds."""
    each = values[draws.seeds[:, :, None], draws.persons[:, None, :]]
    return Sample(float(values.mean()), each.mean((1, 2)))


def set_sample(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    features: Sequence[Features],
    draws: Draws,
) -> Sample:
    """The mean over seeds of `statistic(real, fake)` of all persons' features together.

    `features` has one entry per seed, each with the same persons.
    """
    names = sorted(features[0])
    by_seed = []
    for of_seed in features:
        people = [of_seed[name] for name in names]
        value = _pooled(statistic, people, range(len(people)))
        drawn = np.array([_pooled(statistic, people, draw) for draw in draws.persons])
        by_seed.append((value, drawn))
    values = np.mean([value for value, _ in by_seed])
    drawn = np.stack([drawn for _, drawn in by_seed], 1)  # [R, S]
    return Sample(float(values), np.take_along_axis(drawn, draws.seeds, 1).mean(1))


def _pooled(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    people: Sequence[tuple[np.ndarray, np.ndarray]],
    chosen: Sequence[int],
) -> float:
    real, fake = zip(*(people[k] for k in chosen), strict=True)
    return statistic(np.concatenate(real), np.concatenate(fake))
