"""CSIM, and distances between faces."""

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
