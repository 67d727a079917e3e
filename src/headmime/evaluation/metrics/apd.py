"""APD: average pose distance."""

import numpy as np

from headmime.evaluation.metrics.pose import angles


def apd(detected: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Mean absolute difference of yaw, pitch and roll, [n, 68, 2] each -> degrees [n].

    Protocol: angles as in `pose.angles`, from the landmarks detected in the output and from those
    of the true frame (or, without one, those it was asked to have). NaN where no face was found.
    """
    difference = np.full((len(detected), 3), np.nan)
    found = np.isfinite(detected[:, 0, 0])
    difference[found] = angles(detected[found]) - angles(asked[found])
    return abs((difference + 180) % 360 - 180).mean(1)
