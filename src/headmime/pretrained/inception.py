"""The Inception network of FID and KID: TensorFlow's of 2015, converted by torch-fidelity."""

import io
from typing import Any

import numpy as np
import torch

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pretrained.scorers import TorchScorer
from headmime.pretrained.weights import find_weights, read_state_dict

URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth"
)


class InceptionFeatures(TorchScorer):
    """Pool features, 2,048 numbers; images are resized to 299 as in TensorFlow 1."""

    name = "inception-2048"

    def __init__(self, network: torch.nn.Module, files: dict[str, str]) -> None:
        self.origin: dict[str, Any] = {"files": files, "stand_in": False}
        self._network = network

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `FeatureScorer`."""
        return self._in_batches(self._pooled, frames)

    def _pooled(self, frames: np.ndarray) -> torch.Tensor:
        return self._network(torch.from_numpy(frames).movedim(-1, 1).to(self.device))[0]


def inception_features(file: str | None) -> InceptionFeatures:
    """Load weights-inception-2015-12-05-6726825d.pth from `file`, or "download".

    HeadmimeError on a missing file or package, or weights of another network.
    """
    path = find_weights(file, "scorers.features.file", "torch-fidelity's Inception", URL)
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise HeadmimeError(
            f"scorers=paper needs torch-fidelity ({error}): `pip install 'headmime[evaluation]'`."
        ) from error
    # torch-fidelity unpickles without checks: pass it a copy of the safely read state dict.
    copy = io.BytesIO()
    torch.save(read_state_dict(path), copy)
    copy.seek(0)
    try:
        network = FeatureExtractorInceptionV3("inception", ["2048"], copy)
    except RuntimeError as error:
        raise HeadmimeError(f"{path} does not hold torch-fidelity's Inception: {error}.") from error
    return InceptionFeatures(network, {path.name: sha256(path)})
