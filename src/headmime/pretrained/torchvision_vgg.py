"""torchvision's VGG19: the paper's layers with other weights and feature scales."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pretrained.caffe_vgg import VGG19_TAPS, VGG19_WEIGHT
from headmime.pretrained.frozen import Frozen, per_channel
from headmime.pretrained.vgg import VGG19, VGGStack
from headmime.pretrained.weights import read_state_dict, require_file

# torchvision's preprocessing: ImageNet's mean and standard deviation, red, green, blue, 0..1.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class TorchvisionVGG(Frozen):
    """Five features of VGG19, each multiplied by 1.5e-1 and its layer's scale."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, vgg19: VGGStack, scales: list[float], origin: dict[str, Any]) -> None:
        super().__init__("torchvision", origin)
        self.vgg19 = vgg19
        self.scales = scales
        self.register_buffer("mean", per_channel(MEAN), persistent=False)
        self.register_buffer("deviation", per_channel(DEVIATION), persistent=False)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """images [B, 3, H, W], RGB in [-1, 1] -> five weighted features."""
        features = self.vgg19(torchvision_input(images, self.mean, self.deviation))
        return [f * (VGG19_WEIGHT * s) for f, s in zip(features, self.scales, strict=True)]


def torchvision_input(
    images: torch.Tensor, mean: torch.Tensor, deviation: torch.Tensor
) -> torch.Tensor:
    """RGB [-1, 1] -> (RGB 0..1 - mean) / deviation of ImageNet; float32 [B, 3, H, W]."""
    return ((images.float() + 1) / 2 - mean) / deviation


def torchvision_vgg(vgg19: str | None, scales: str | None) -> TorchvisionVGG:
    """`perceptual=torchvision`: `vgg19` is torchvision's vgg19-dcbb9e9d.pth; VGGFace is not used.

    `scales`: a JSON file {"scales": [five numbers]} with the `layer_scales` relative to Caffe's
    VGG19. Without it the features have torchvision's scale, for which the paper's weight 1.5e-1 was
    not chosen, and origin["scale"] is "unknown". HeadmimeError on missing or invalid files.
    """
    file = require_file(
        vgg19,
        "perceptual.vgg19",
        "torchvision's vgg19-dcbb9e9d.pth, or choose perceptual=efficientnet",
    )
    origin = {"files": {file.name: sha256(file)}, "stand_in": True, "scale": "unknown"}
    factors = [1.0] * len(VGG19_TAPS)
    if scales is not None:
        scales_file = require_file(
            scales, "perceptual.scales", "or leave it out (the result is then marked scale unknown)"
        )
        factors = _read_scales(scales_file)
        origin["files"][scales_file.name] = sha256(scales_file)
        origin["scale"] = "caffe, by measurement"
    return TorchvisionVGG(
        VGGStack(read_state_dict(file), VGG19, VGG19_TAPS, file.name), factors, origin
    )


@torch.no_grad()
def layer_scales(
    caffe: Callable[[torch.Tensor], list[torch.Tensor]],
    torchvision: Callable[[torch.Tensor], list[torch.Tensor]],
    images: torch.Tensor,
) -> list[float]:
    """Factors that scale torchvision's features to the mean magnitude of Caffe's.

    `images` [B, 3, H, W] in [-1, 1]; `caffe`: a `caffe_vgg` (its first five features are VGG19's);
    `torchvision`: a `torchvision_vgg` with `scales=None`.
    """
    pairs = zip(caffe(images)[: len(VGG19_TAPS)], torchvision(images), strict=True)
    return [(a.float().abs().mean() / b.float().abs().mean()).item() for a, b in pairs]


def _read_scales(path: Path) -> list[float]:
    try:
        factors = [float(s) for s in json.loads(path.read_text())["scales"]]
    except (ValueError, KeyError, TypeError) as error:
        raise HeadmimeError(
            f'{path} is not a scales file: it should read {{"scales": [five numbers]}}.'
        ) from error
    if len(factors) != len(VGG19_TAPS) or min(factors) <= 0:
        raise HeadmimeError(f"{path} should hold {len(VGG19_TAPS)} positive scales.")
    return factors
