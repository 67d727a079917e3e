"""ArcFace in ONNX format, such as InsightFace's w600k_r50.onnx: the network of CSIM."""

from typing import Any

import cv2
import numpy as np

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pretrained.weights import require_file

SIDE = 112
BATCH = 16
# Positions of eyes, tip of the nose and corners of the mouth in ArcFace's training images, pixels.
TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)


class ArcFace:
    """Embeddings of unit length: L2 distance and cosine give the same order."""

    name = "arcface"

    def __init__(self, session: Any, files: dict[str, str]) -> None:
        self.origin: dict[str, Any] = {"files": files, "stand_in": False}
        self._session = session
        self._input = session.get_inputs()[0].name

    def __call__(self, frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """See `IdentityScorer`."""
        chips = [align_face(frame, points) for frame, points in zip(frames, landmarks, strict=True)]
        x = ((np.stack(chips).astype(np.float32) - 127.5) / 127.5).transpose(0, 3, 1, 2)
        parts = [
            self._session.run(None, {self._input: x[k : k + BATCH]})[0]
            for k in range(0, len(x), BATCH)
        ]
        e = np.concatenate(parts)
        return e / np.linalg.norm(e, axis=1, keepdims=True)


def align_face(frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The 112x112 aligned crop: a least-squares similarity maps five landmarks to TEMPLATE."""
    eyes = [landmarks[36:42].mean(0), landmarks[42:48].mean(0)]
    points = np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]]) * len(frame) - 0.5
    z, w = (p[:, 0] + 1j * p[:, 1] for p in (points.astype(np.float64), TEMPLATE))
    centred = z - z.mean()
    a = (centred.conj() * (w - w.mean())).sum() / (abs(centred) ** 2).sum()
    b = w.mean() - a * z.mean()
    matrix = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    return cv2.warpAffine(frame, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)


def arcface(file: str | None) -> ArcFace:
    """Load an ONNX model with input [n, 3, 112, 112], RGB in [-1, 1].

    HeadmimeError on a missing file or package, or another kind of file.
    """
    key = "scorers.identity.file"
    path = require_file(file, key, "an ArcFace as ONNX (InsightFace's buffalo_l has w600k_r50)")
    try:
        import onnxruntime
    except ImportError as error:
        raise HeadmimeError(
            f"scorers=paper needs onnxruntime ({error}): `pip install 'headmime[evaluation]'`."
        ) from error
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no public base class
        raise HeadmimeError(f"{path} is not an ONNX model that can be read: {error}.") from error
    shape = session.get_inputs()[0].shape
    if shape[1:] != [3, SIDE, SIDE]:
        raise HeadmimeError(f"{path} takes {shape}, not [n, 3, {SIDE}, {SIDE}]: no ArcFace.")
    return ArcFace(session, {path.name: sha256(path)})
