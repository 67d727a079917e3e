"""What L_CNT asks of a frozen network: a list of features and a statement of origin.

Four functions make one, chosen by `perceptual=` on the command line; none replaces another by
itself: `caffe_vgg.caffe_vgg` (the paper's), `torchvision_vgg.torchvision_vgg`, and two stand-ins
whose weights come with the installation, `efficientnet.efficientnet_lite0` and
`sitter_identity.efficientnet_and_identity`.
"""

from typing import Any, Protocol

import torch


class Perceptual(Protocol):
    """Frozen features of images; an `nn.Module` that has no parameters and an empty state dict."""

    name: str
    """As on the command line: "paper", "torchvision", "efficientnet", ..."""

    origin: dict[str, Any]
    """`files` (name -> sha256), `stand_in` (not the paper's networks), `scale` (see each maker)."""

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Features of images [B, 3, H, W], RGB in [-1, 1]; each [B, C_l, H_l, W_l].

        Every feature is already multiplied by the weight of its layer, so that
        L_CNT = sum over the list of mean |f(x_hat) - f(x)|. Gradient to: images. Under autocast the
        features are half precision: take the difference and the mean in float32.
        """
        ...

    def close_up_features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The same of magnified eyes and mouths, without networks that know whole faces only."""
        ...
