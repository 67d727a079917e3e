"""One row of a table: adapt on T frames, animate by the driving landmarks, score."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headmime.data.store import Store
from headmime.evaluation.baselines import copy_nearest
from headmime.evaluation.cache import PROTOCOL, Arrays, digest, load_or_compute
from headmime.evaluation.frame_features import FrameFeatures, Scorers, frame_features
from headmime.evaluation.frame_folder import FrameFolder
from headmime.evaluation.metric_table import METRICS
from headmime.evaluation.metrics.identity import csim, id_rank1, identity_distance, nearer_to_source
from headmime.evaluation.metrics.image_quality import (
    colour_drift,
    face_sharpness,
    flicker,
    sharpness,
    ssim,
)
from headmime.evaluation.metrics.motion import (
    STILL,
    akd,
    amplitude,
    apd,
    correlation,
    is_turned,
)
from headmime.evaluation.trials import Refs, Trial, driving_landmarks, load_frames, load_landmarks
from headmime.images import Animator
from headmime.landmarks.points import eye_opening, head_turn, mouth_opening
from headmime.progress import OnFrame, report_progress

Adapt = Callable[[np.ndarray, np.ndarray], Animator]
"""T frames uint8 [T, S, S, 3] of a person and their landmarks [T, 68, 2] -> that person's animator.
None stands for the ceiling: the true frames themselves."""


@dataclass(frozen=True)
class EvalContext:
    """What every row of a table shares: data, sizes, scoring networks, and where work is kept."""

    store: Store
    trials: Sequence[Trial]
    size: int
    motion: str
    scorers: Scorers
    cache: Path


@dataclass(frozen=True)
class Row:
    """What one row measured: per trial its name, person, scores and features.

    Scores are float [n] per frame, or [1] where one number is the trial's.
    """

    trials: Sequence[Trial]
    scores: Sequence[Arrays]
    features: Sequence[tuple[np.ndarray, np.ndarray] | None]


def evaluate(
    context: EvalContext,
    method: Adapt | FrameFolder | None,
    T: int,
    key: str,
    on_trial: OnFrame | None = None,
) -> Row:
    """Run every trial with `method` on the first T frames of its gallery.

    `key` names everything that makes the animators beside these frames: with it, a trial that was
    scored before (perhaps by a run that was stopped) is read from the context's cache.
    """
    gallery = Gallery(context)
    scores, features = [], []
    for trial in report_progress(context.trials, len(context.trials), on_trial):
        arrays = load_or_compute(
            context.cache / "trials",
            _trial_key(context, gallery, trial, T, key),
            lambda trial=trial: _run(context, gallery, trial, method, T),
        )
        embeddings = arrays.pop("embeddings")
        real, fake = arrays.pop("real", None), arrays.pop("fake", None)
        rank = id_rank1(embeddings, gallery.all, gallery.persons.index(trial.person))
        scores.append({**arrays, "id_rank1": rank.astype(float)})
        features.append(None if real is None else (real, fake))
    return Row(context.trials, scores, features)


def make_animator(
    context: EvalContext, method: Adapt | FrameFolder, trial: Trial, T: int
) -> Animator:
    """What answers for a trial's person: made of the first T source frames, or read from files."""
    if isinstance(method, FrameFolder):
        return method.animator(trial, context.size)
    sources = trial.gallery[:T]
    return method(
        load_frames(context.store, sources, context.size), load_landmarks(context.store, sources)
    )


class Gallery:
    """The mean embedding of every person of a table, from all frames set aside as sources."""

    def __init__(self, context: EvalContext) -> None:
        frames: dict[str, set[tuple[int, int]]] = {}
        for trial in context.trials:
            frames.setdefault(trial.person, set()).update(trial.gallery)
            if trial.driver is not None:
                frames.setdefault(trial.driver, set()).update(trial.driver_gallery)
        self.persons = sorted(frames)
        self.frames = {person: tuple(sorted(frames[person])) for person in self.persons}
        means = [self._mean(context, self.frames[person]) for person in self.persons]
        self.all = np.stack(means)  # [P, E]

    def of(self, person: str) -> np.ndarray:
        """One person's, [E]."""
        return self.all[self.persons.index(person)]

    def _mean(self, context: EvalContext, frames: Refs) -> np.ndarray:
        shown = load_frames(context.store, frames, context.size)
        return _features(context, shown, load_landmarks(context.store, frames)).embeddings.mean(0)


def _run(
    context: EvalContext,
    gallery: Gallery,
    trial: Trial,
    method: Adapt | FrameFolder | None,
    T: int,
) -> Arrays:
    """Scores of a trial, its embeddings and, with true frames, the features of both."""
    store = context.store
    sources = load_landmarks(store, trial.gallery[:T])
    asked = driving_landmarks(store, trial, sources, context.motion)
    true = None if trial.truth is None else load_frames(store, trial.truth, context.size)
    if method is None:
        assert true is not None  # method=real is refused without true frames
        animator = copy_nearest(true, asked)
    else:
        animator = make_animator(context, method, trial, T)
    made = animator(asked)
    seen = _features(context, made, asked)
    arrays = {"embeddings": seen.embeddings}
    arrays |= source_scores(context, gallery, trial, made, seen, asked)
    arrays |= motion_scores(seen.detected, load_landmarks(store, trial.driving))
    landmarks = asked
    if true is not None and trial.truth is not None:
        landmarks = load_landmarks(store, trial.truth)
        true_seen = _features(context, true, landmarks)
        arrays |= {"real": true_seen.features, "fake": seen.features}
        arrays |= {
            "ssim": ssim(made, true),
            "lpips": context.scorers.distance(made, true).astype(float),
            "csim": csim(seen.embeddings, true_seen.embeddings),
        }
    arrays |= {"akd": akd(seen.detected, landmarks), "apd": apd(seen.detected, landmarks)}
    return arrays if true is None else arrays | subset_scores(arrays, is_turned(landmarks, sources))


def source_scores(
    context: EvalContext,
    gallery: Gallery,
    trial: Trial,
    made: np.ndarray,
    seen: FrameFeatures,
    asked: np.ndarray,
) -> Arrays:
    """Scores of the frames `made`, [n] or [1], against the person's source frames."""
    store, person = context.store, gallery.of(trial.person)
    stored, small = (load_frames(store, trial.gallery, size) for size in (store.size, context.size))
    landmarks = load_landmarks(store, trial.gallery)
    where = np.where(np.isnan(seen.detected), asked, seen.detected)
    face, background = flicker(made, asked)
    scores = {
        "csim_source": csim(seen.embeddings, person),
        "id_distance": identity_distance(seen.embeddings, person),
        "found": np.isfinite(seen.detected[:, 0, 0]).astype(float),
        "face_sharpness": np.array([face_sharpness(made, where, stored, landmarks)]),
        "sharpness": sharpness(made, where) / sharpness(small, landmarks).mean(),
        "colour_drift": colour_drift(made, where, small, landmarks),
        "flicker_face": np.array([face]),
        "flicker_background": np.array([background]),
    }
    if trial.driver is not None:
        nearer = nearer_to_source(seen.embeddings, person, gallery.of(trial.driver))
        scores["nearer"] = np.array([nearer])
    return scores


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


def subset_scores(scores: Arrays, far: np.ndarray) -> Arrays:
    """X@turned and X@near of the metrics that have them, NaN elsewhere; `far` bool [n]: whether the
    head is turned more than 15 degrees from every source frame.
    """
    return {
        f"{name}@{subset}": np.where(chosen, scores[name], np.nan)
        for name in scores
        if f"{name}@turned" in METRICS
        for subset, chosen in (("turned", far), ("near", ~far))
    }


def _features(context: EvalContext, frames: np.ndarray, expected: np.ndarray) -> FrameFeatures:
    return frame_features(frames, expected, context.scorers, context.cache / "looks")


def _trial_key(context: EvalContext, gallery: Gallery, trial: Trial, T: int, key: str) -> str:
    people = [gallery.frames[name] for name in (trial.person, trial.driver) if name]
    frames = [trial.gallery, trial.driving, trial.truth]
    shared = [context.store.hash, context.size, context.motion, context.scorers.origin]
    return digest(PROTOCOL, shared, frames, people, T, key)
