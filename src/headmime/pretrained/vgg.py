"""The convolutional part of VGG16 and VGG19, up to the last layer used by a loss."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from headmime.errors import HeadmimeError
from headmime.pretrained.frozen import FrozenConv

# Convolutions per stage; every stage ends in a pooling.
VGG16 = (2, 2, 3, 3, 3)
VGG19 = (2, 2, 4, 4, 4)
CHANNELS = (64, 128, 256, 512, 512)


class VGGStack(nn.Module):
    """Convolutions, ReLUs and max poolings, numbered as in torchvision's `features`.

    `taps`: ascending numbers of the ReLUs whose outputs forward returns. Layers after the last tap
    are neither loaded nor run.
    """

    def __init__(
        self,
        state: dict[str, torch.Tensor],
        stages: Sequence[int],
        taps: Sequence[int],
        file: str,
    ) -> None:
        """`state` has torchvision's keys (features.0.weight) or Caffe's (conv1_1.weight); `file` is
        named in the HeadmimeError if a tensor is missing or has another shape."""
        super().__init__()
        self.taps = tuple(taps)
        self.layers = nn.ModuleDict()  # number -> convolution; other numbers are ReLU or pooling
        self.pools: set[int] = set()
        number, inputs = 0, 3
        for stage, (count, outputs) in enumerate(zip(stages, CHANNELS, strict=True), start=1):
            for i in range(1, count + 1):
                if number > self.taps[-1]:
                    return
                names = (f"features.{number}", f"conv{stage}_{i}")
                weight, bias = _tensors(state, names, (outputs, inputs, 3, 3), file)
                self.layers[str(number)] = FrozenConv(weight, bias)
                inputs = outputs
                number += 2  # the convolution and its ReLU
            self.pools.add(number)
            number += 1

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """x [B, 3, H, W], preprocessed for the weights -> one [B, C, h, w] per tap."""
        features = []
        for number in range(self.taps[-1] + 1):
            if str(number) in self.layers:
                x = self.layers[str(number)](x)
            elif number in self.pools:
                x = F.max_pool2d(x, 2)
            else:
                x = F.relu(x, inplace=True)  # the convolution's output is not used elsewhere
            if number in self.taps:
                features.append(x)
        return features


def _tensors(
    state: dict[str, torch.Tensor], names: tuple[str, str], shape: tuple[int, ...], file: str
) -> tuple[torch.Tensor, torch.Tensor]:
    for name in names:
        if f"{name}.weight" in state and f"{name}.bias" in state:
            weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
            if tuple(weight.shape) != shape or tuple(bias.shape) != shape[:1]:
                raise HeadmimeError(
                    f"{file}: {name}.weight is {list(weight.shape)}, not {list(shape)}: "
                    "these are not the weights of the VGG that this key expects."
                )
            return weight, bias
    raise HeadmimeError(
        f"{file} has neither {names[0]}.weight nor {names[1]}.weight (with their biases): "
        "a VGG state dict with torchvision's or Caffe's names is expected."
    )
