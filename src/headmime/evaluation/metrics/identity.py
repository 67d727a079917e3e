"""Identity metrics, computed from face embeddings."""

from typing import NamedTuple

import numpy as np


def csim(embeddings: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosine of face embeddings [n, E] and [n, E] or [E] -> [n], from -1 to 1.

    Protocol: faces are aligned by the detected landmarks, or by the target landmarks if no face was
    found. ArcFace embeddings are used unchanged; dlib's minus their mean over sitters.
    """
    lengths = np.linalg.norm(embeddings, axis=-1) * np.linalg.norm(other, axis=-1)
    return (embeddings * other).sum(-1) / lengths


def identity_distance(embeddings: np.ndarray, other: np.ndarray) -> np.ndarray:
    """L2 distance of embeddings [n, E] and [n, E] or [E] -> [n], aligned as for `csim`.

    With dlib's network, two images of one person usually have a distance below 0.6.
    """
    return np.linalg.norm(embeddings - other, axis=-1)


def nearer_to_source(embeddings: np.ndarray, source: np.ndarray, driver: np.ndarray) -> float:
    """Return 1.0 if the mean of output embeddings [n, E] is nearer (L2) to the source's mean
    embedding [E] than to the driver's, else 0.0. The mean over pairs is the share of pairs whose
    identity is preserved.
    """
    mean = embeddings.mean(0)
    return float(identity_distance(mean, source) < identity_distance(mean, driver))


def id_rank1(embeddings: np.ndarray, gallery: np.ndarray, person: int) -> np.ndarray:
    """Whether the nearest (L2) of gallery embeddings [P, E] is number `person`: [n, E] -> bool [n].

    Protocol: the gallery has one entry per person of the evaluation, the mean embedding of all
    source frames (up to 32, also if T is smaller). Chance level is 1 / P.
    """
    distances = np.linalg.norm(embeddings[:, None] - gallery[None], axis=-1)
    return distances.argmin(1) == person


class Verification(NamedTuple):
    """auc: ROC AUC of same-person against different-person pairs, by distance. eer: equal error
    rate. rank1: see `verification`.
    """

    auc: float
    eer: float
    rank1: float
    people: int
    frames: int


def verification(embeddings: np.ndarray, people: np.ndarray) -> Verification:
    """Verify embeddings [n, E] of people [n], at least two frames of each, by L2 distance.

    Protocol: AUC and EER over all pairs of frames. Rank 1: the mean of a person's even-numbered
    frames, in the given order, is the gallery entry; the others are probes.
    """
    squares = np.square(embeddings).sum(1)
    distances = squares[:, None] + squares - 2 * embeddings @ embeddings.T
    above = np.triu_indices(len(people), 1)
    same = (people[:, None] == people)[above]
    same_pairs, different_pairs = distances[above][same], distances[above][~same]
    every = np.unique(people)
    frames = [embeddings[people == person] for person in every]
    gallery = np.stack([one[::2].mean(0) for one in frames])
    hits = [id_rank1(one[1::2], gallery, k) for k, one in enumerate(frames)]
    rank1 = float(np.concatenate(hits).mean())
    return Verification(
        auc(same_pairs, different_pairs),
        equal_error_rate(same_pairs, different_pairs),
        rank1,
        len(every),
        len(people),
    )


def auc(low: np.ndarray, high: np.ndarray) -> float:
    """Probability that a value of `high` exceeds one of `low`; ties count half."""
    ordered = np.sort(low.ravel())
    below = np.searchsorted(ordered, high.ravel(), "left")
    up_to = np.searchsorted(ordered, high.ravel(), "right")
    return float((below + up_to).mean() / 2 / len(ordered))


def equal_error_rate(same_pairs: np.ndarray, different_pairs: np.ndarray) -> float:
    """Mean of false rejection and false acceptance rate at the threshold where they are closest."""
    thresholds = np.concatenate([same_pairs, different_pairs])
    rejected = 1 - np.searchsorted(np.sort(same_pairs), thresholds, "right") / len(same_pairs)
    accepted = np.searchsorted(np.sort(different_pairs), thresholds, "right") / len(different_pairs)
    nearest = np.abs(rejected - accepted).argmin()
    return float((rejected + accepted)[nearest] / 2)
