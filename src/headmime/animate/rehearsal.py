"""The frames of sitters, bundled with the weights, that fine-tuning rehearses."""

import cv2
import numpy as np

from headmime.assets import ASSETS
from headmime.learning.rehearsal import Rehearsal
from headmime.nets import Nets

FILE = ASSETS / "weights" / "rehearsal.npz"


def bundled_rehearsal(nets: Nets, size: int) -> Rehearsal:
    """Three frames each of forty sitters at size x size, with psi_hat of these networks."""
    with np.load(FILE) as kept:
        people = list(zip(kept["frames"], kept["landmarks"], strict=True))
    return Rehearsal.of(nets, ((_resized(frames, size), points) for frames, points in people))


def _resized(frames: np.ndarray, size: int) -> np.ndarray:
    way = cv2.INTER_AREA if size < frames.shape[1] else cv2.INTER_CUBIC
    return np.stack([cv2.resize(frame, (size, size), interpolation=way) for frame in frames])
