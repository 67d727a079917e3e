"""Does a network's embedding say who somebody is? Figures of face verification."""

from typing import NamedTuple

import numpy as np

from headmime.evaluation.metrics.id_rank1 import id_rank1


class Verification(NamedTuple):
    """auc: of telling pairs of one person from pairs of two, by distance. eer: the share that is
    wrong of either kind at the threshold where these are equal. rank1: see `verification`.
    """

    auc: float
    eer: float
    rank1: float
    people: int
    frames: int


def verification(embeddings: np.ndarray, people: np.ndarray) -> Verification:
    """Embeddings [n, E] of people [n], at least two frames of each, compared by L2 distance.

    Protocol: AUC and EER over all pairs of frames. Rank 1: a person's frames with even numbers, in
    the order given, are averaged and make the gallery; the others are the probes.
    """
    squares = np.square(embeddings).sum(1)
    distances = squares[:, None] + squares - 2 * embeddings @ embeddings.T
    above = np.triu_indices(len(people), 1)
    same = (people[:, None] == people)[above]
    alike, unlike = distances[above][same], distances[above][~same]
    every = np.unique(people)
    frames = [embeddings[people == person] for person in every]
    gallery = np.stack([one[::2].mean(0) for one in frames])
    hits = [id_rank1(one[1::2], gallery, k) for k, one in enumerate(frames)]
    rank1 = float(np.concatenate(hits).mean())
    return Verification(
        auc(alike, unlike), equal_error_rate(alike, unlike), rank1, len(every), len(people)
    )


def auc(low: np.ndarray, high: np.ndarray) -> float:
    """The probability that a value of `high` is above one of `low`, ties counting half."""
    ordered = np.sort(low.ravel())
    below = np.searchsorted(ordered, high.ravel(), "left")
    up_to = np.searchsorted(ordered, high.ravel(), "right")
    return float((below + up_to).mean() / 2 / len(ordered))


def equal_error_rate(alike: np.ndarray, unlike: np.ndarray) -> float:
    """The share of distances within a person above a threshold, where the share of those between
    people up to it is the same (or nearest to it): the mean of both.
    """
    thresholds = np.concatenate([alike, unlike])
    missed = 1 - np.searchsorted(np.sort(alike), thresholds, "right") / len(alike)
    accepted = np.searchsorted(np.sort(unlike), thresholds, "right") / len(unlike)
    nearest = np.abs(missed - accepted).argmin()
    return float((missed + accepted)[nearest] / 2)
