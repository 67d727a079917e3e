"""Is the face in the output the source's, rather than anybody else's in the gallery?"""

import numpy as np


def id_rank1(embeddings: np.ndarray, gallery: np.ndarray, person: int) -> np.ndarray:
    """Whether the nearest (L2) of gallery embeddings [P, E] is number `person`: [n, E] -> bool [n].

    Protocol: the gallery has one entry for each person of the evaluation, the mean embedding of all
    frames set aside as that person's sources (up to 32, also where T is smaller). Chance is 1 / P.
    """
    distances = np.linalg.norm(embeddings[:, None] - gallery[None], axis=-1)
    return distances.argmin(1) == person
