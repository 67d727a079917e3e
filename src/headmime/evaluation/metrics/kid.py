"""KID (Bińkowski et al., 2018)."""

import numpy as np


def kid(real: np.ndarray, fake: np.ndarray) -> float:
    """Squared maximum mean discrepancy of features [n, D] and [m, D], unbiased; n, m > 1.

    Protocol: kernel (x.y / D + 1)^3, one estimate over all frames (no subsets), so nothing is
    random. Unlike FID it does not grow when there are few frames; it may be slightly negative.
    """
    x, y = real.astype(np.float64), fake.astype(np.float64)
    within = [_kernel(z, z) for z in (x, y)]
    means = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in within]
    return float(sum(means) - 2 * _kernel(x, y).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3
