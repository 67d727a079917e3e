"""SSIM (Wang et al., 2004)."""

import numpy as np
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

BATCH = 32
WINDOW, SIGMA = 11, 1.5


def ssim(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Structural similarity of frames, uint8 [n, S, S, 3] each -> float64 [n]; 1 for equal frames.

    Protocol: the whole crop, all three channels alike, range 255, a Gaussian window of 11x11 with
    sigma 1.5, K = (0.01, 0.03); only windows that lie inside the picture. Pixels are not resized.
    """
    parts = [
        _ssim(_floats(one[k : k + BATCH]), _floats(other[k : k + BATCH]))
        for k in range(0, len(one), BATCH)
    ]
    return torch.cat(parts).numpy()


def _ssim(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    _, full = structural_similarity_index_measure(
        x, y, sigma=SIGMA, reduction="none", data_range=255.0, return_full_image=True
    )
    edge = WINDOW // 2  # torchmetrics also counts windows over a reflected border
    return full[..., edge:-edge, edge:-edge].mean((1, 2, 3))


def _floats(frames: np.ndarray) -> torch.Tensor:
    # double: in single precision, variances of dark pictures lose digits
    return torch.from_numpy(frames).movedim(-1, 1).double()
