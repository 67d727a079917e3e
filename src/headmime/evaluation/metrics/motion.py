"""Does the output move as the driving does: over time, and as far?"""

import numpy as np

FEWEST = 8  # frames with a face: with fewer, a correlation says nothing
# A driving that moves less than this (standard deviation, units of `points.mouth_opening`,
# `points.head_turn` and `points.eye_opening`; 0.01 of turn is 2 degrees; real people who blink have
# 0.007 to 0.02 of eyes) is still: correlations would be with noise.
STILL = {"mouth": 0.01, "turn": 0.01, "eye": 0.006}
FROZEN = 1e-6  # rounding, not movement


def correlation(output: np.ndarray, driving: np.ndarray, still: float) -> float:
    """Pearson's correlation over frames [n]; NaN in `output` is a frame without a face.

    NaN if the driving's standard deviation is below `still`, or fewer than 8 frames have a face; 0
    if the output stands still.
    """
    x, y = _both(output, driving)
    if len(y) < FEWEST or y.std() < still:
        return np.nan
    if x.std() < FROZEN:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def amplitude(output: np.ndarray, driving: np.ndarray, still: float) -> float:
    """Standard deviation of the output over the driving's, over frames [n]; 1 is as lively.

    NaN as for `correlation`. The detector's jitter is part of it: a frozen output is not quite 0.
    """
    x, y = _both(output, driving)
    if len(y) < FEWEST or y.std() < still:
        return np.nan
    return float(x.std() / y.std())


def _both(output: np.ndarray, driving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = np.isfinite(output)
    return output[found].astype(np.float64), driving[found].astype(np.float64)
