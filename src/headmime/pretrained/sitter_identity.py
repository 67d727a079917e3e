"""A small face-recognition network: VGGFace's counterpart in the stand-in for L_CNT.

Trained on rendered sitters only (makers/train_identity.py). Its installed file has the 3x3
convolutions of `CONVOLUTIONS` with folded batch norms, the embedding's weights, and the mean
magnitude of every feature.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headmime.assets import ASSETS
from headmime.files import sha256
from headmime.pretrained.efficientnet import EfficientNetLite0, efficientnet_lite0
from headmime.pretrained.frozen import Frozen, FrozenConv
from headmime.pretrained.weights import read_state_dict

SIDE, EMBEDDING = 112, 128
# Every stage halves the side, 112 -> 56 -> 28 -> 14 -> 7, and has this many residual blocks.
STAGES = ((16, 0), (32, 1), (64, 1), (112, 1))
LAST = (STAGES[-1][0], SIDE >> len(STAGES), SIDE >> len(STAGES))
FILE = ASSETS / "weights" / "identity.safetensors"


def _convolutions() -> Iterator[tuple[str, tuple[int, int, int]]]:
    inputs = 3
    for stage, (channels, blocks) in enumerate(STAGES):
        yield f"down{stage}", (inputs, channels, 2)
        for block in range(blocks):
            yield f"block{stage}{block}a", (channels, channels, 1)
            yield f"block{stage}{block}b", (channels, channels, 1)
        inputs = channels


CONVOLUTIONS = dict(_convolutions())
"""Name -> (inputs, outputs, stride) of every 3x3 convolution."""


def stage_features(convs: nn.ModuleDict, x: Tensor) -> list[Tensor]:
    """x [B, 3, 112, 112] in [-1, 1] -> outputs of the four stages, [B, 16, 56, 56] to
    [B, 112, 7, 7].
    """
    features = []
    for stage, (_, blocks) in enumerate(STAGES):
        x = F.relu(convs[f"down{stage}"](x))
        for block in range(blocks):
            y = F.relu(convs[f"block{stage}{block}a"](x))
            x = F.relu(x + convs[f"block{stage}{block}b"](y))
        features.append(x)
    return features


def identity_input(images: Tensor) -> Tensor:
    """RGB [-1, 1] of any size -> float32 [B, 3, 112, 112]."""
    x = images.float()
    if x.shape[-2:] != (SIDE, SIDE):
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=x.shape[-1] > SIDE)
    return x.contiguous(memory_format=torch.channels_last)


class SitterIdentity(Frozen):
    """Four features, each divided by its mean magnitude on sitters: the outputs of the last three
    stages, and the unit-length embedding as [B, 128, 1, 1].
    """

    pool: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, state: dict[str, Tensor], files: dict[str, str]) -> None:
        origin = {"files": files, "stand_in": True, "scale": "relative to sitters"}
        super().__init__("identity", origin)
        self.convs = nn.ModuleDict(
            {
                name: FrozenConv(state[f"{name}.weight"], state[f"{name}.bias"], stride)
                for name, (_, _, stride) in CONVOLUTIONS.items()
            }
        )
        for name in ("pool", "weight", "bias"):
            self.register_buffer(name, state[f"embedding.{name}"].float(), persistent=False)
        self.magnitudes: list[float] = state["magnitudes"].tolist()

    def forward(self, images: Tensor) -> list[Tensor]:
        """images [B, 3, S, S] of whole crops, RGB in [-1, 1] -> four scaled features. Gradient to:
        images.
        """
        stages, e = self._features(images)
        features = [*stages[1:], e[..., None, None]]
        return [f / m for f, m in zip(features, self.magnitudes, strict=True)]

    def embed(self, images: Tensor) -> Tensor:
        """images [B, 3, S, S] as in forward -> identity embeddings [B, 128] of unit length,
        float32.
        """
        return self._features(images)[1]

    def _features(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        stages = stage_features(self.convs, identity_input(images))
        with torch.autocast(images.device.type, enabled=False):
            e = F.linear(weighted_pool(stages[-1], self.pool), self.weight, self.bias)
            return stages, F.normalize(e)


def weighted_pool(last: Tensor, pool: Tensor) -> Tensor:
    """Weighted sum over positions of the last stage's output [B, C, 7, 7] -> [B, C], float32 also
    under autocast. `pool` [C, 7, 7]: learnt weights per channel and position.
    """
    return (last.float() * pool).sum((2, 3))


def sitter_identity() -> SitterIdentity:
    """Load the installed network."""
    return SitterIdentity(read_state_dict(FILE), {FILE.name: sha256(FILE)})


class EfficientNetAndIdentity(Frozen):
    """Nine features: five of EfficientNet-Lite0, and four of the identity network multiplied by
    `identity_weight`.
    """

    def __init__(
        self, efficientnet: EfficientNetLite0, identity: SitterIdentity, identity_weight: float
    ) -> None:
        files = efficientnet.origin["files"] | identity.origin["files"]
        super().__init__(
            "efficientnet+identity",
            efficientnet.origin | {"files": files, "identity_weight": identity_weight},
        )
        self.efficientnet = efficientnet
        self.identity = identity
        self.identity_weight = identity_weight

    def forward(self, images: Tensor) -> list[Tensor]:
        """images [B, 3, S, S], RGB in [-1, 1] -> nine weighted features."""
        weighted = [f * self.identity_weight for f in self.identity(images)]
        return self.efficientnet(images) + weighted

    def close_up_features(self, images: Tensor) -> list[Tensor]:
        """EfficientNet's five features only: the identity network needs whole faces."""
        return self.efficientnet(images)


def efficientnet_and_identity(side: int | None, identity_weight: float) -> EfficientNetAndIdentity:
    """`perceptual=efficientnet+identity`; `side` is EfficientNet's."""
    return EfficientNetAndIdentity(efficientnet_lite0(side), sitter_identity(), identity_weight)
