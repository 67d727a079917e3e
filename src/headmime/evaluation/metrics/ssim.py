"""SSIM (Wang et al., 2004)."""

import cv2
import numpy as np

WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Structural similarity of frames, uint8 [n, S, S, 3] each -> float64 [n]; 1 for equal frames.

    Protocol: the whole crop, all three channels alike, range 255, a Gaussian window of 11x11 with
    sigma 1.5, K = (0.01, 0.03); only windows that lie inside the picture. Pixels are not resized.
    """
    return np.array([_ssim(x, y) for x, y in zip(one, other, strict=True)])


def _ssim(x: np.ndarray, y: np.ndarray) -> float:
    # float64, as torchmetrics' is not: one frame takes a millisecond, and dark ones keep digits
    x, y = x.astype(np.float64), y.astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    cov = _window(x * y) - mean_x * mean_y
    structure = (2 * cov + C2) / (var_x + var_y + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return float((luminance * structure).mean())


def _window(x: np.ndarray) -> np.ndarray:
    edge = WINDOW // 2
    return cv2.GaussianBlur(x, (WINDOW, WINDOW), SIGMA)[edge:-edge, edge:-edge]
