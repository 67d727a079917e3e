"""LPIPS as in the literature: torchvision's AlexNet with the linear heads of package lpips."""

import warnings
from typing import Any

import numpy as np
import torch

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pixels import to_tensor
from headmime.pretrained.scorers import TorchScorer
from headmime.pretrained.weights import find_weights, read_state_dict

URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"


class LpipsAlexNet(TorchScorer):
    """LPIPS 0.1 between images, without resizing. See `DistanceScorer`."""

    name = "lpips-alex"

    def __init__(self, network: torch.nn.Module, files: dict[str, str]) -> None:
        self.origin: dict[str, Any] = {"files": files, "stand_in": False}
        self._network = network

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """See `DistanceScorer`."""
        return self._in_batches(self._distance, one, other)

    def _distance(self, *pair: np.ndarray) -> torch.Tensor:
        return self._network(*(to_tensor(x).to(self.device) for x in pair)).flatten()


def lpips_alexnet(file: str | None) -> LpipsAlexNet:
    """Load torchvision's alexnet-owt-7be5be79.pth from `file`, or "download".

    HeadmimeError on a missing file or package, or weights of another network.
    """
    path = find_weights(file, "scorers.distance.file", "torchvision's AlexNet", URL)
    try:
        import lpips
    except ImportError as error:
        raise HeadmimeError(
            f"scorers=paper needs lpips ({error}): `pip install 'headmime[evaluation]'`."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision warns about `pretrained=`
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    state = read_state_dict(path)
    try:
        for slice_number in range(1, 6):
            for number, layer in getattr(network.net, f"slice{slice_number}").named_children():
                if hasattr(layer, "weight"):
                    parts = {k: state[f"features.{number}.{k}"] for k in ("weight", "bias")}
                    layer.load_state_dict(parts)
    except (KeyError, RuntimeError) as error:
        raise HeadmimeError(f"{path} does not hold torchvision's AlexNet: {error}.") from error
    return LpipsAlexNet(network.eval().requires_grad_(False), {path.name: sha256(path)})
