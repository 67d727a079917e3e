"""Scores of one trial, frame by frame: what a row's numbers are made of."""

import numpy as np

from headmime.evaluation.looks import Look, Scorers
from headmime.evaluation.memory import Arrays
from headmime.evaluation.metrics.akd import akd
from headmime.evaluation.metrics.apd import apd
from headmime.evaluation.metrics.colour import colour_drift
from headmime.evaluation.metrics.csim import csim, identity_distance
from headmime.evaluation.metrics.flicker import flicker
from headmime.evaluation.metrics.pose import turned
from headmime.evaluation.metrics.sharpness import face_sharpness, sharpness
from headmime.evaluation.metrics.ssim import ssim


def frame_scores(seen: Look, asked: np.ndarray, source: np.ndarray) -> Arrays:
    """Scores that need no true frames, one per frame; `source` [E] is the person's embedding."""
    found = np.isfinite(seen.detected[:, 0, 0])
    return {
        "csim_source": csim(seen.embeddings, source),
        "id_distance": identity_distance(seen.embeddings, source),
        "akd": akd(seen.detected, asked),
        "apd": apd(seen.detected, asked),
        "found": found.astype(float),
    }


def picture_scores(
    made: np.ndarray,
    seen: Look,
    asked: np.ndarray,
    stored: np.ndarray,
    small: np.ndarray,
    landmarks: np.ndarray,
) -> Arrays:
    """Scores of the pixels, [n] or [1], beside those of the person's source frames [T, S, S, 3] as
    they are `stored` and, `small`, at the side of `made`; `landmarks` [T, 68, 2] are theirs.
    """
    where = np.where(np.isnan(seen.detected), asked, seen.detected)
    face, background = flicker(made, asked)
    return {
        "face_sharpness": np.array([face_sharpness(made, where, stored, landmarks)]),
        "sharpness": sharpness(made, where) / sharpness(small, landmarks).mean(),
        "colour_drift": colour_drift(made, where, small, landmarks),
        "flicker_face": np.array([face]),
        "flicker_background": np.array([background]),
    }


def truth_scores(
    made: np.ndarray,
    seen: Look,
    true: np.ndarray,
    landmarks: np.ndarray,
    true_seen: Look,
    scorers: Scorers,
) -> Arrays:
    """Scores against true frames, uint8 [n, S, S, 3] with stored `landmarks` [n, 68, 2]; these
    replace what `frame_scores` has of the same name.
    """
    return {
        "ssim": ssim(made, true),
        "lpips": scorers.distance(made, true).astype(float),
        "csim": csim(seen.embeddings, true_seen.embeddings),
        "akd": akd(seen.detected, landmarks),
        "apd": apd(seen.detected, landmarks),
    }


def with_subsets(scores: Arrays, landmarks: np.ndarray, sources: np.ndarray) -> Arrays:
    """Scores of the heads turned more than 15 degrees from every source frame, and of the others.

    Adds, for every frame score X that compares with the truth, X@turned and X@near, NaN elsewhere;
    `landmarks` [n, 68, 2] are the true ones, `sources` [T, 68, 2] the animator's.
    """
    far = turned(landmarks, sources)
    subsets = {"turned": far, "near": ~far}
    compared = ("ssim", "lpips", "csim", "akd")
    return scores | {
        f"{name}@{subset}": np.where(chosen, scores[name], np.nan)
        for name in compared
        for subset, chosen in subsets.items()
    }
