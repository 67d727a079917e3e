"""Evaluate one row of a table: adapt to T frames, animate with driving landmarks, score."""

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
"""Frames uint8 [T, S, S, 3] and landmarks [T, 68, 2] of a person -> animator. In place of it, None
is the ceiling: the truth frames themselves.
"""


@dataclass(frozen=True)
class EvalContext:
    """Shared by all rows of a table: data, sizes, scoring networks and cache folder."""

    store: Store
    trials: Sequence[Trial]
    size: int
    motion: str
    scorers: Scorers
    cache: Path


@dataclass(frozen=True)
class Row:
    """Measurements of one row: scores and features per trial.

    Scores are float [n] per frame, or [1] for metrics of a whole trial.
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
    """Run every trial with `method`, adapted to the first T frames of its gallery.

    `key` identifies everything else that the animators depend on; trials scored earlier under the
    same key (also by an interrupted run) are read from the context's cache.
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
    """Create the animator of a trial's person from the first T source frames, or from files."""
    if isinstance(method, FrameFolder):
        return method.animator(trial, context.size)
    sources = trial.gallery[:T]
    return method(
        load_frames(context.store, sources, context.size), load_landmarks(context.store, sources)
    )


class Gallery:
    """Mean identity embedding of every person of a table, over all gallery frames."""

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
        """Mean embedding of one person, [E]."""
        return self.all[self.persons.index(person)]

    def _mean(self, context: EvalContext, frames: Refs) -> np.ndarray:
        images = load_frames(context.store, frames, context.size)
        return _features(context, images, load_landmarks(context.store, frames)).embeddings.mean(0)


def _run(
    context: EvalContext,
    gallery: Gallery,
    trial: Trial,
    method: Adapt | FrameFolder | None,
    T: int,
) -> Arrays:
    """Compute a trial's scores, embeddings and, if truth frames exist, features of both."""
    store = context.store
    sources = load_landmarks(store, trial.gallery[:T])
    target = driving_landmarks(store, trial, sources, context.motion)
    truth = None if trial.truth is None else load_frames(store, trial.truth, context.size)
    if method is None:
        assert truth is not None  # method=real is rejected without true frames
        animator = copy_nearest(truth, target)
    else:
        animator = make_animator(context, method, trial, T)
    output = animator(target)
    features = _features(context, output, target)
    arrays = {"embeddings": features.embeddings}
    arrays |= source_scores(context, gallery, trial, output, features, target)
    arrays |= motion_scores(features.detected, load_landmarks(store, trial.driving))
    landmarks = target
    if truth is not None and trial.truth is not None:
        landmarks = load_landmarks(store, trial.truth)
        truth_features = _features(context, truth, landmarks)
        arrays |= {"real": truth_features.features, "fake": features.features}
        arrays |= {
            "ssim": ssim(output, truth),
            "lpips": context.scorers.distance(output, truth).astype(float),
            "csim": csim(features.embeddings, truth_features.embeddings),
        }
    arrays |= {"akd": akd(features.detected, landmarks), "apd": apd(features.detected, landmarks)}
    if truth is None:
        return arrays
    return arrays | subset_scores(arrays, is_turned(landmarks, sources))


def source_scores(
    context: EvalContext,
    gallery: Gallery,
    trial: Trial,
    output: np.ndarray,
    features: FrameFeatures,
    target: np.ndarray,
) -> Arrays:
    """Scores of `output` frames against the person's source frames, [n] or [1] each."""
    store, person = context.store, gallery.of(trial.person)
    stored, small = (load_frames(store, trial.gallery, size) for size in (store.size, context.size))
    landmarks = load_landmarks(store, trial.gallery)
    where = np.where(np.isnan(features.detected), target, features.detected)
    face, background = flicker(output, target)
    scores = {
        "csim_source": csim(features.embeddings, person),
        "id_distance": identity_distance(features.embeddings, person),
        "found": np.isfinite(features.detected[:, 0, 0]).astype(float),
        "face_sharpness": np.array([face_sharpness(output, where, stored, landmarks)]),
        "sharpness": sharpness(output, where) / sharpness(small, landmarks).mean(),
        "colour_drift": colour_drift(output, where, small, landmarks),
        "flicker_face": np.array([face]),
        "flicker_background": np.array([background]),
    }
    if trial.driver is not None:
        nearer = nearer_to_source(features.embeddings, person, gallery.of(trial.driver))
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
    """Split metrics into X@turned and X@near (NaN elsewhere); `far` bool [n]: the head is turned
    more than 15 degrees from every source frame.
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
