"""Whose face is it? Metrics of identity, from embeddings."""

from typing import NamedTuple

import numpy as np


def csim(embeddings: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosine of face embeddings [n, E] and [n, E] or [E] -> [n], from -1 to 1.

    Protocol: faces are aligned by the landmarks that were detected in the frame; where no face was
    found, by the landmarks that the frame was asked to have. Embeddings are as the identity scorer
    gives them: ArcFace's as they are, dlib's minus their mean over sitters.
    """
    lengths = np.linalg.norm(embeddings, axis=-1) * np.linalg.norm(other, axis=-1)
    return (embeddings * other).sum(-1) / lengths


def identity_distance(embeddings: np.ndarray, other: np.ndarray) -> np.ndarray:
    """L2 distance of embeddings [n, E] and [n, E] or [E] -> [n], aligned as for `csim`.

    With dlib's network, two pictures of one person are usually less than 0.6 apart.
    """
    return np.linalg.norm(embeddings - other, axis=-1)


def nearer_to_source(embeddings: np.ndarray, source: np.ndarray, driver: np.ndarray) -> float:
    """1.0 if the mean of output embeddings [n, E] is nearer (L2) to the source's mean embedding [E]
    than to the driver's, else 0.0. A mean over pairs is the share of pairs that kept the person.
    """
    mean = embeddings.mean(0)
    return float(identity_distance(mean, source) < identity_distance(mean, driver))


def id_rank1(embeddings: np.ndarray, gallery: np.ndarray, person: int) -> np.ndarray:
    """Whether the nearest (L2) of gallery embeddings [P, E] is number `person`: [n, E] -> bool [n].

    Protocol: the gallery has one entry for each person of the evaluation, the mean embedding of all
    frames set aside as that person's sources (up to 32, also where T is smaller). Chance is 1 / P.
    """
    distances = np.linalg.norm(embeddings[:, None] - gallery[None], axis=-1)
    return distances.argmin(1) == person


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
