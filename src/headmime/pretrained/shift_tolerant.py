"""Shift-tolerant LPIPS with AlexNet: the packaged stand-in for LPIPS and, pooled, for FID.

Ghildyal and Liu, ECCV 2022, with the weights of the package stlpips-pytorch, whose code is neither
imported nor copied: anti-aliased strides as in Zhang, "Making convolutional networks
shift-invariant again", and a first convolution of stride 1.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pixels import to_tensor
from headmime.pretrained.frozen import Frozen
from headmime.pretrained.scorers import TorchScorer
from headmime.pretrained.weights import read_state_dict

FEATURE_SIDE = 128  # images are resized to this side for FID features
FEATURE_SCALE = 180.0  # gives the features of 320 rendered sitters a mean square of 1
LEAST = 64  # smallest side for which the last feature maps have a pixel
# The five convolutions: (number in the state dict, padding).
LAYERS = ((0, 2), (5, 2), (9, 1), (11, 1), (13, 1))


class ShiftTolerantAlexNet(Frozen):
    """Five ReLU outputs with 64, 192, 384, 256 and 256 channels, and LPIPS's linear heads."""

    scaling_layer_shift: Tensor
    scaling_layer_scale: Tensor

    def __init__(self, state: dict[str, Tensor], files: dict[str, str]) -> None:
        super().__init__("stlpips-alex", {"files": files, "stand_in": True})
        for name, tensor in state.items():
            self.register_buffer(name.replace(".", "_"), tensor, persistent=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """images [B, 3, H, W], RGB in [-1, 1] -> five features [B, C, h, w]."""
        x = (images - self.scaling_layer_shift) / self.scaling_layer_scale
        features = []
        for stage, (number, padding) in enumerate(LAYERS, start=1):
            if stage in (2, 3):
                x = _blur_and_halve(F.max_pool2d(x, 3, stride=1))
            layer = f"net_slice{stage}_{number}"
            weight, bias = getattr(self, f"{layer}_weight"), getattr(self, f"{layer}_bias")
            x = F.conv2d(x, weight, bias, padding=padding)
            x = F.relu(_blur_and_halve(x) if stage == 1 else x)
            features.append(x)
        return features

    def heads(self) -> list[Tensor]:
        """The linear heads, [1, C, 1, 1] each."""
        return [getattr(self, f"lin{k}_model_1_weight") for k in range(len(LAYERS))]


class ShiftTolerantDistance(TorchScorer):
    """Shift-tolerant LPIPS between images; those smaller than 64 pixels are enlarged to 64. See
    `DistanceScorer`.
    """

    def __init__(self, network: ShiftTolerantAlexNet) -> None:
        self.name, self.origin = network.name, network.origin
        self._network, self._heads = network, network.heads

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """See `DistanceScorer`."""
        return self._in_batches(self._distance, one, other)

    def _distance(self, *pair: np.ndarray) -> Tensor:
        fs, gs = (self._network(_enlarge_small(x).to(self.device)) for x in pair)
        pairs = zip(fs, gs, self._heads(), strict=True)
        parts = (
            (head * (_normalise(f) - _normalise(g)) ** 2).sum(1).mean((1, 2))
            for f, g, head in pairs
        )
        return cast(Tensor, sum(parts))


class ShiftTolerantFeatures(TorchScorer):
    """Spatial mean of the last feature, 256 scaled numbers. See `FeatureScorer`."""

    def __init__(self, network: ShiftTolerantAlexNet) -> None:
        self.name, self.origin = f"{network.name}-relu5", network.origin
        self._network = network

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """See `FeatureScorer`."""
        return self._in_batches(self._pooled, frames)

    def _pooled(self, frames: np.ndarray) -> Tensor:
        x, side = to_tensor(frames).to(self.device), (FEATURE_SIDE, FEATURE_SIDE)
        if x.shape[-2:] != side:
            x = F.interpolate(x, side, mode="bilinear", antialias=x.shape[-1] > FEATURE_SIDE)
        return FEATURE_SCALE * self._network(x)[-1].mean((2, 3))


def shift_tolerant_alexnet() -> ShiftTolerantAlexNet:
    """Load the network with the package's weights; HeadmimeError if it is not installed."""
    package = find_spec("stlpips_pytorch")
    if package is None or package.origin is None:
        raise HeadmimeError(
            "scorers=packaged needs stlpips-pytorch: `pip install 'headmime[evaluation]'`."
        )
    file = Path(package.origin).parent / "weights" / "vST0.0" / "alex_shift_tolerant.pth"
    return ShiftTolerantAlexNet(read_state_dict(file), {file.name: sha256(file)})


def shift_tolerant_distance() -> ShiftTolerantDistance:
    """`scorers=packaged`: stand-in for LPIPS."""
    return ShiftTolerantDistance(shift_tolerant_alexnet())


def shift_tolerant_features() -> ShiftTolerantFeatures:
    """`scorers=packaged`: stand-in for Inception."""
    return ShiftTolerantFeatures(shift_tolerant_alexnet())


def _blur_and_halve(x: Tensor) -> Tensor:
    """3x3 binomial blur with stride 2 and reflection padding of two pixels."""
    row = torch.tensor([0.25, 0.5, 0.25], device=x.device)
    kernel = torch.outer(row, row).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), "reflect"), kernel, stride=2, groups=x.shape[1])


def _enlarge_small(frames: np.ndarray) -> Tensor:
    x = to_tensor(frames)
    return x if len(x[0, 0]) >= LEAST else F.interpolate(x, (LEAST, LEAST), mode="bilinear")


def _normalise(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)
