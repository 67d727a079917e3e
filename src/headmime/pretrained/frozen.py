"""Building blocks of frozen networks: weights are buffers, not trained, not in the state dict."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class Frozen(nn.Module):
    """A network for evaluation only: `.train()` leaves it in evaluation mode."""

    def __init__(self, name: str, origin: dict[str, Any]) -> None:
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
