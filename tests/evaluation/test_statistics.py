"""The bootstrap over persons and seeds, against answers known beforehand."""

from dataclasses import asdict
from itertools import product

import numpy as np
import pytest

from headmime.evaluation.metrics.distribution import fid
from headmime.evaluation.statistics import (
    BootstrapDraws,
    mean_estimate,
    mean_sample,
    paired_difference,
    paired_set_difference,
    set_estimate,
    set_sample,
)


def shift(real: np.ndarray, fake: np.ndarray) -> float:
    """Distance of the means."""
    return float(np.linalg.norm(fake.mean(0) - real.mean(0)))


def test_persons_and_seeds_are_drawn_evenly_and_apart() -> None:
    draws = BootstrapDraws.of(20, 2, times=4000)
    assert draws.persons.shape == (4000, 20) and draws.seeds.shape == (4000, 2)
    assert np.bincount(draws.persons.ravel()) / 4000 == pytest.approx(np.ones(20), abs=0.08)
    assert (draws.seeds[:, 0] != draws.seeds[:, 1]).mean() == pytest.approx(0.5, abs=0.03)
    correlation = np.corrcoef(draws.persons.mean(1), draws.seeds.mean(1))[0, 1]
    assert abs(correlation) < 0.06


def test_the_interval_of_many_persons_is_that_of_the_normal_law() -> None:
    """1.96 standard errors of the mean, where seeds agree."""
    values = np.tile(np.random.default_rng(0).normal(3, 2, 400), (2, 1))
    sample = mean_sample(values, BootstrapDraws.of(400, 2, times=4000))
    low, high = sample.interval
    assert sample.value == pytest.approx(values.mean())
    error = 1.96 * values[0].std() / 20
    assert (sample.value - low, high - sample.value) == pytest.approx((error, error), rel=0.1)


def test_seeds_that_disagree_widen_the_interval_to_both() -> None:
    """All persons alike: a quarter of the draws is seed 0 alone, another is seed 1 alone."""
    sample = mean_sample(np.repeat([[1.0], [3.0]], 20, 1), BootstrapDraws.of(20, 2, times=4000))
    assert sorted(set(sample.drawn)) == [1, 2, 3]
    assert sample.value == 2
    assert sample.interval == pytest.approx((1, 3), abs=0.1)


def test_every_draw_of_two_persons_and_two_seeds_by_hand() -> None:
    """The 16 possible draws, once each."""
    values = np.array([[0.0, 1.0], [10.0, 13.0]])
    every = np.array(list(product(range(2), repeat=2)))
    pairs = [(p, s) for p in every for s in every]
    draws = BootstrapDraws(np.array([p for p, _ in pairs]), np.array([s for _, s in pairs]))
    expected = [np.mean([values[s, p] for s in ss for p in ps]) for ps, ss in pairs]
    assert mean_sample(values, draws).drawn == pytest.approx(expected)


def test_what_persons_and_seeds_share_cancels_in_a_difference() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 100, (2, 20))
    draws = BootstrapDraws.of(20, 2)
    difference = mean_sample(shared + 1, draws) - mean_sample(shared, draws)
    assert difference.interval == pytest.approx((1, 1))
    weighted = 0.5 * mean_sample(shared + 2, draws) - 0.5 * mean_sample(shared, draws)
    assert weighted.interval == pytest.approx((1, 1))


def test_features_are_pooled_before_the_statistic_and_averaged_after() -> None:
    """The fakes of seed 0 are 3 away, those of seed 1 are 5 away, for every person."""
    features = [
        {name: (np.zeros((4, 2)), np.tile([0.0, away], (4, 1))) for name in "abc"}
        for away in (3.0, 5.0)
    ]
    sample = set_sample(shift, features, BootstrapDraws.of(3, 2))
    assert sample.value == 4
    assert sorted(set(sample.drawn)) == [3, 4, 5]
    opposite = {"a": 6.0, "b": -6.0}  # the mean of both has no shift at all
    features = [{n: (np.zeros((4, 1)), np.full((4, 1), v)) for n, v in opposite.items()}]
    assert set_sample(shift, features, BootstrapDraws.of(2, 1)).value == 0


def test_a_bias_that_all_draws_have_is_taken_out() -> None:
    """Repeated persons raise a distance; its interval still lies around the value."""
    rng = np.random.default_rng(0)
    features = [{str(k): (np.zeros((1, 8)), rng.normal(0, 5, (1, 8))) for k in range(20)}]
    sample = set_sample(shift, features, BootstrapDraws.of(20, 1))
    assert sample.drawn.mean() > sample.value * 1.1
    low, high = sample.interval
    assert low < sample.value < high


def test_the_interval_of_a_mean_has_the_right_width():
    """For a normal sample the bootstrap's 95 % are about 1.96 standard errors."""
    values = np.random.default_rng(0).normal(3, 2, 400)
    estimate = mean_estimate({str(k): v for k, v in enumerate(values)})
    assert estimate.value == pytest.approx(values.mean())
    error = 1.96 * values.std() / 20
    assert estimate.high - estimate.value == pytest.approx(error, rel=0.12)
    assert estimate.value - estimate.low == pytest.approx(error, rel=0.12)


def test_people_are_drawn_not_frames():
    """Frames of a person that are all alike add no certainty: the interval stays as wide."""
    rng = np.random.default_rng(0)
    few = {str(k): (rng.normal(size=(4, 3)),) * 2 for k in range(12)}
    many = {name: (np.repeat(x, 10, 0),) * 2 for name, (x, _) in few.items()}

    def mean(real, fake):
        return float(fake.mean())

    one, other = set_estimate(mean, few), set_estimate(mean, many)
    assert asdict(one) == pytest.approx(asdict(other))


def test_one_person_has_no_interval():
    estimate = mean_estimate({"a": 2.0})
    assert estimate.value == 2 and np.isnan(estimate.low) and np.isnan(estimate.high)


def test_paired_differences_do_not_see_what_persons_share():
    rng = np.random.default_rng(0)
    persons = {str(k): v for k, v in enumerate(rng.normal(0, 100, 20))}
    better = {name: v + 1 + 0.01 * rng.normal() for name, v in persons.items()}
    estimate = paired_difference(better, {**persons, "stranger": 1e9})
    assert estimate.identities == 20
    assert 0.9 < estimate.low < 1 < estimate.high < 1.1
    shifted = {name: (np.zeros((2, 2)), np.full((2, 2), v)) for name, v in persons.items()}
    same = paired_set_difference(lambda real, fake: float(fake.mean()), shifted, shifted)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_interval_of_a_fid_is_around_its_value():
    rng = np.random.default_rng(0)
    features = {str(k): (rng.normal(size=(9, 4)), rng.normal(1, 1, (9, 4))) for k in range(15)}
    estimate = set_estimate(fid, features)
    assert estimate.low < estimate.value < estimate.high
