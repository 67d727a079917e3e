"""AKD: average keypoint distance."""

import numpy as np

from headmime.landmarks.points import interocular


def akd(detected: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Mean distance of the 68 points, [n, 68, 2] each, as a share of the inter-ocular distance.

    Protocol: points detected in the output against those of the true frame (or, without one, those
    it was asked to have). The unit is the largest distance between the outer corners of the eyes
    over `asked`, since it shrinks when a head turns. NaN where no face was found.
    """
    unit = interocular(asked).max()
    return np.linalg.norm(detected - asked, axis=-1).mean(-1) / unit
