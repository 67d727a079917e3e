"""Every detector judges people that it has not learned from: cross-fitting over identities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headmime.errors import HeadmimeError
from headmime.evaluation.forensics.detectors import Detector, Scores
from headmime.evaluation.forensics.lineup import Lineup
from headmime.evaluation.intervals import Estimate, set_estimate
from headmime.evaluation.metrics.verification import auc


@dataclass(frozen=True)
class Finding:
    """A detector's AUC with its 95 % interval over persons: 0.5 is guessing, 1 finds every made
    frame. folds: the AUC of each fold's people.
    """

    auc: Estimate
    folds: list[float]


def folds_of(persons: Sequence[str], folds: int, seed: int) -> list[list[str]]:
    """Persons in `folds` groups of about equal size, drawn by the seed."""
    names = sorted(set(persons))
    if not 2 <= folds <= len(names):
        raise HeadmimeError(
            f"forensics.folds={folds} should be from 2 to the number of people, {len(names)}."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    return [[names[k] for k in order[fold::folds]] for fold in range(folds)]


def judged(found: Sequence[Lineup], detector: Detector, groups: Sequence[Sequence[str]]) -> Finding:
    """Each group of persons is judged after learning from all others.

    Scores of different groups come from different detectors: they are brought to one scale, each
    group's by the mean and deviation of all of its scores, before the AUC over all.
    """
    scores: dict[str, list[Scores]] = {}
    by_fold = []
    for group in groups:
        others = [one for one in found if one.person not in group]
        mine = [one for one in found if one.person in group]
        given = _one_scale(detector(others, mine))
        by_fold.append(_pooled_auc(given))
        for one, its in zip(mine, given, strict=True):
            scores.setdefault(one.person, []).append(its)
    return Finding(set_estimate(auc, _joined(scores)), by_fold)


def _one_scale(given: Sequence[Scores]) -> list[Scores]:
    every = np.concatenate([part for one in given for part in one])
    mean, deviation = every.mean(), every.std() + 1e-12
    return [Scores((one.real - mean) / deviation, (one.made - mean) / deviation) for one in given]


def _pooled_auc(given: Sequence[Scores]) -> float:
    return auc(*(np.concatenate([one[kind] for one in given]) for kind in (0, 1)))


def _joined(scores: Mapping[str, Sequence[Scores]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        person: tuple(np.concatenate([one[kind] for one in parts]) for kind in (0, 1))
        for person, parts in scores.items()
    }
