"""FID (Heusel et al., 2017)."""

import numpy as np


def fid(real: np.ndarray, fake: np.ndarray) -> float:
    """Fréchet distance of two Gaussians, fitted to features [n, D] and [m, D]; n, m > 1.

    Protocol: |difference of means|^2 + tr(C) + tr(C') - 2 tr((C C')^(1/2)) with unbiased
    covariances, over all real held-out frames and all frames made for their landmarks. The trace of
    the root is a sum of singular values, so that it exists for fewer frames than features too; the
    distance is then not comparable with one from more frames.
    """
    (mean, root), (mean_, root_) = _gaussian(real), _gaussian(fake)
    shift = ((mean - mean_) ** 2).sum()
    spread = (root**2).sum() + (root_**2).sum()
    common = np.linalg.svd(root @ root_.T, compute_uv=False).sum()
    return max(0.0, float(shift + spread - 2 * common))  # rounding may leave it below


def _gaussian(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D] and a root R [min(n, D), D] of the covariance R^T R."""
    x = features.astype(np.float64)
    mean = x.mean(0)
    return mean, np.linalg.qr((x - mean) / np.sqrt(len(x) - 1), mode="r")
