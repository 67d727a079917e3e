"""The networks of L_CNT: their interface, and building blocks without trainable weights.

Constructors are selected with `perceptual=` on the command line, without automatic fallback:
`caffe_vgg.caffe_vgg` (the paper's), `torchvision_vgg.torchvision_vgg`, and two stand-ins with
installed weights, `efficientnet.efficientnet_lite0` and
`sitter_identity.efficientnet_and_identity`.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class Frozen(nn.Module):
    """A network for evaluation only: no parameters, an empty state dict, and `.train()` leaves it
    in evaluation mode.

    Those of L_CNT map images [B, 3, H, W], RGB in [-1, 1], to features [B, C_l, H_l, W_l], already
    multiplied by their layers' weights: L_CNT = sum over the list of mean |f(x_hat) - f(x)|.
    Gradient to: images. Under autocast the features have half precision: compute difference and
    mean in float32.
    """

    def __init__(self, name: str, origin: dict[str, Any]) -> None:
        """`name`: on the command line. `origin`: `files` (name -> sha256), `stand_in` (not the
        paper's networks), `scale` (see each class).
        """
        super().__init__()
        self.name = name
        self.origin = origin
        self.eval()

    def train(self, mode: bool = True) -> "Frozen":
        return super().train(False)

    def close_up_features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Features of magnified eyes and mouths for L_CNT: all features, except in networks that
        need whole faces.
        """
        return self(images)


def per_channel(values: Sequence[float]) -> torch.Tensor:
    """Per-channel constants as [1, C, 1, 1], to be registered as a buffer: creating the tensor at
    each call would synchronise with the device.
    """
    return torch.tensor(values).view(1, -1, 1, 1)


class FrozenConv(nn.Module):
    """A convolution that keeps the size (stride 1) or halves an even size (stride 2).

    Weight [O, I/groups, k, k] and bias [O] are non-persistent buffers. With stride 2 the padding is
    TensorFlow's "SAME": the larger part right and bottom.
    """

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        # channels last, the memory format of the input
        weight = weight.float().contiguous(memory_format=torch.channels_last)
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", bias.float().contiguous(), persistent=False)
        self.stride = stride
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        k = self.weight.shape[-1]
        if self.stride == 1:
            return F.conv2d(x, self.weight, self.bias, padding=k // 2, groups=self.groups)
        before, after = (k - 2) // 2, (k - 1) // 2
        x = F.pad(x, (before, after, before, after))
        return F.conv2d(x, self.weight, self.bias, stride=self.stride, groups=self.groups)
