"""Distances of two sets of features: FID (Heusel et al., 2017), KID (Bińkowski et al., 2018)."""

import numpy as np


def fid(real: np.ndarray, fake: np.ndarray) -> float:
    """Fréchet distance of two Gaussians, fitted to features [n, D] and [m, D]; n, m > 1.

    Protocol: |difference of means|^2 + tr(C) + tr(C') - 2 tr((C C')^(1/2)) with unbiased
    covariances, over all real held-out frames and all frames generated for their landmarks. The
    trace of the root is computed as a sum of singular values, so it is defined for fewer frames
    than features; that value is not comparable with one from more frames.
    """
    (mean, root), (mean_, root_) = _gaussian(real), _gaussian(fake)
    shift = ((mean - mean_) ** 2).sum()
    spread = (root**2).sum() + (root_**2).sum()
    common = np.linalg.svd(root @ root_.T, compute_uv=False).sum()
    return max(0.0, float(shift + spread - 2 * common))  # rounding can make it negative


def _gaussian(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean [D] and a root R [min(n, D), D] of the covariance R^T R."""
    x = features.astype(np.float64)
    mean = x.mean(0)
    return mean, np.asarray(np.linalg.qr((x - mean) / np.sqrt(len(x) - 1), mode="r"))


def kid(real: np.ndarray, fake: np.ndarray) -> float:
    """Squared maximum mean discrepancy of features [n, D] and [m, D], unbiased; n, m > 1.

    Protocol: kernel (x.y / D + 1)^3, one deterministic estimate over all frames (no subsets).
    Unlike FID it is unbiased for few frames; it may be slightly negative.
    """
    x, y = real.astype(np.float64), fake.astype(np.float64)
    within = [_kernel(z, z) for z in (x, y)]
    means = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in within]
    return float(sum(means) - 2 * _kernel(x, y).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3
