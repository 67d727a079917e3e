"""One row of a table: adapt on T frames, animate by the driving landmarks, score, summarise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headmime.animate.person import Animator
from headmime.data.store import Store
from headmime.evaluation.baselines import copy_nearest
from headmime.evaluation.looks import Look, Scorers, look
from headmime.evaluation.memory import Arrays, digest, remembered
from headmime.evaluation.metrics.csim import nearer_to_source
from headmime.evaluation.metrics.id_rank1 import id_rank1
from headmime.evaluation.metrics.motion import STILL, amplitude, correlation
from headmime.evaluation.scores import frame_scores, picture_scores, truth_scores, with_subsets
from headmime.evaluation.trials import Refs, Trial, asked_landmarks, pictures, points
from headmime.landmarks.points import eye_opening, head_turn, mouth_opening
from headmime.progress import OnFrame, reported

Adapt = Callable[[np.ndarray, np.ndarray], Animator]
"""T frames uint8 [T, S, S, 3] of a person and their landmarks [T, 68, 2] -> that person's animator.
None stands for the ceiling: the true frames themselves."""


@dataclass(frozen=True)
class Contest:
    """What every row of a table shares: data, sizes, scoring networks, and where work is kept.

    `code` is a hash of the code that scores.
    """

    store: Store
    trials: Sequence[Trial]
    size: int
    motion: str
    scorers: Scorers
    memory: Path
    code: str


@dataclass(frozen=True)
class Row:
    """What one row measured: per trial its name, person, scores and features.

    Scores are float [n] per frame, or [1] where one number is the trial's.
    """

    trials: Sequence[Trial]
    scores: Sequence[Arrays]
    features: Sequence[tuple[np.ndarray, np.ndarray] | None]


def evaluate(
    contest: Contest, adapt: Adapt | None, T: int, key: str, on_trial: OnFrame | None = None
) -> Row:
    """Run every trial with `adapt` on the first T frames of its gallery.

    `key` names everything that makes the animators beside these frames: with it, a trial that was
    scored before (perhaps by a run that was stopped) is read from the contest's memory.
    """
    gallery = Gallery(contest)
    scores, features = [], []
    for trial in reported(contest.trials, len(contest.trials), on_trial):
        arrays = remembered(
            contest.memory / "trials",
            _trial_key(contest, gallery, trial, T, key),
            lambda trial=trial: _run(contest, gallery, trial, adapt, T),
        )
        embeddings = arrays.pop("embeddings")
        real, fake = arrays.pop("real", None), arrays.pop("fake", None)
        rank = id_rank1(embeddings, gallery.all, gallery.persons.index(trial.person))
        scores.append({**arrays, "id_rank1": rank.astype(float)})
        features.append(None if real is None else (real, fake))
    return Row(contest.trials, scores, features)


class Gallery:
    """The mean embedding of every person of a contest, from all frames set aside as sources."""

    def __init__(self, contest: Contest) -> None:
        frames: dict[str, set[tuple[int, int]]] = {}
        for trial in contest.trials:
            frames.setdefault(trial.person, set()).update(trial.gallery)
            if trial.driver is not None:
                frames.setdefault(trial.driver, set()).update(trial.driver_gallery)
        self.persons = sorted(frames)
        self.frames = {person: tuple(sorted(frames[person])) for person in self.persons}
        means = [self._mean(contest, self.frames[person]) for person in self.persons]
        self.all = np.stack(means)  # [P, E]

    def of(self, person: str) -> np.ndarray:
        """One person's, [E]."""
        return self.all[self.persons.index(person)]

    def _mean(self, contest: Contest, frames: Refs) -> np.ndarray:
        shown = pictures(contest.store, frames, contest.size)
        return _look(contest, shown, points(contest.store, frames)).embeddings.mean(0)


def _run(contest: Contest, gallery: Gallery, trial: Trial, adapt: Adapt | None, T: int) -> Arrays:
    store = contest.store
    sources = points(store, trial.gallery[:T])
    asked = asked_landmarks(store, trial, sources, contest.motion)
    true = None if trial.truth is None else pictures(store, trial.truth, contest.size)
    if adapt is None:
        animator = copy_nearest(true, asked)
    else:
        animator = adapt(pictures(store, trial.gallery[:T], contest.size), sources)
    made = animator(asked)
    seen = _look(contest, made, asked)
    source = gallery.of(trial.person)
    gallery_frames = [pictures(store, trial.gallery, size) for size in (store.size, contest.size)]
    scores = frame_scores(seen, asked, source)
    scores |= picture_scores(made, seen, asked, *gallery_frames, points(store, trial.gallery))
    arrays = {"embeddings": seen.embeddings}
    if true is not None:
        landmarks = points(store, trial.truth)
        true_seen = _look(contest, true, landmarks)
        scores |= truth_scores(made, seen, true, landmarks, true_seen, contest.scorers)
        scores = with_subsets(scores, landmarks, sources)
        arrays |= {"real": true_seen.features, "fake": seen.features}
    if trial.driver is not None:
        driver = gallery.of(trial.driver)
        scores["nearer"] = np.array([nearer_to_source(seen.embeddings, source, driver)])
    return arrays | scores | motion_scores(seen.detected, points(store, trial.driving))


def motion_scores(detected: np.ndarray, driving: np.ndarray) -> Arrays:
    """Correlation and amplitude of mouth, head turn and lids, output against driving [n, 68, 2]:
    [1] each.
    """
    scores = {}
    for name, measure in (("mouth", mouth_opening), ("turn", head_turn), ("eye", eye_opening)):
        pair = measure(detected), measure(driving)
        scores[f"{name}_correlation"] = np.array([correlation(*pair, STILL[name])])
        scores[f"{name}_amplitude"] = np.array([amplitude(*pair, STILL[name])])
    return scores


def _look(contest: Contest, frames: np.ndarray, expected: np.ndarray) -> Look:
    return look(frames, expected, contest.scorers, contest.memory / "looks", contest.code)


def _trial_key(contest: Contest, gallery: Gallery, trial: Trial, T: int, key: str) -> str:
    people = [gallery.frames[name] for name in (trial.person, trial.driver) if name]
    return digest(
        contest.store.hash,
        [trial.gallery, trial.driving, trial.truth],
        people,
        T,
        contest.size,
        contest.motion,
        contest.scorers.origin,
        contest.code,
        key,
    )
