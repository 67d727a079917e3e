"""The interface of the perceptual networks of L_CNT: a list of features, and their origin.

Four constructors, selected with `perceptual=` on the command line, without automatic fallback:
`caffe_vgg.caffe_vgg` (the paper's), `torchvision_vgg.torchvision_vgg`, and two stand-ins with
installed weights, `efficientnet.efficientnet_lite0` and
`sitter_identity.efficientnet_and_identity`.
"""

from typing import Any, Protocol

import torch


class Perceptual(Protocol):
    """Frozen features of images; an `nn.Module` that has no parameters and an empty state dict."""

    name: str
    """Name on the command line: "paper", "torchvision", "efficientnet", ..."""

    origin: dict[str, Any]
    """`files` (name -> sha256), `stand_in` (not the paper's networks), `scale` (see each class)."""

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Features of images [B, 3, H, W], RGB in [-1, 1]; each [B, C_l, H_l, W_l].

        Features are already multiplied by their layers' weights:
        L_CNT = sum over the list of mean |f(x_hat) - f(x)|. Gradient to: images. Under autocast the
        features have half precision: compute difference and mean in float32.
        """
        ...

    def close_up_features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Features of magnified eyes and mouths, without networks that need whole faces."""
        ...
