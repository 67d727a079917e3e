"""The paper's L_CNT networks: Caffe's VGG19 (ImageNet) and VGGFace, with Caffe's preprocessing."""

import torch

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pretrained.frozen import Frozen, per_channel
from headmime.pretrained.vgg import VGG16, VGG19, VGGStack
from headmime.pretrained.weights import read_state_dict, require_file

# Layers and weights of the paper's v2; numbers count torchvision's `features`: relu1_1 ... relu5_1.
VGG19_TAPS, VGG19_WEIGHT = (1, 6, 11, 20, 29), 1.5e-1
VGGFACE_TAPS, VGGFACE_WEIGHT = (1, 6, 11, 18, 25), 2.5e-2
# Means of the training images: blue, green, red, 0..255.
VGG19_MEAN = (103.939, 116.779, 123.68)
VGGFACE_MEAN = (93.5940, 104.7624, 129.1863)
# First digits of the sha256 of torchvision's VGG19 (part of that file's name).
TORCHVISION_VGG19 = "dcbb9e9d"


class CaffeVGG(Frozen):
    """Ten features: five of VGG19, then five of VGGFace, multiplied by the network's weight."""

    vgg19_mean: torch.Tensor
    vggface_mean: torch.Tensor

    def __init__(self, vgg19: VGGStack, vggface: VGGStack, files: dict[str, str]) -> None:
        super().__init__("paper", {"files": files, "stand_in": False, "scale": "caffe"})
        self.vgg19 = vgg19
        self.vggface = vggface
        for net, mean in (("vgg19", VGG19_MEAN), ("vggface", VGGFACE_MEAN)):
            self.register_buffer(f"{net}_mean", per_channel(mean), persistent=False)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """images [B, 3, H, W], RGB in [-1, 1] -> ten weighted features."""
        features = [f * VGG19_WEIGHT for f in self.vgg19(caffe_input(images, self.vgg19_mean))]
        of_faces = self.vggface(caffe_input(images, self.vggface_mean))
        features += [f * VGGFACE_WEIGHT for f in of_faces]
        return features


def caffe_input(images: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """RGB [-1, 1] -> BGR, 0..255, minus the mean (blue, green, red); float32 [B, 3, H, W]."""
    normalised = (images.float().flip(1) + 1) * 127.5 - mean
    # On a CPU with channels last, pooling is up to 20 times faster, convolution up to 2 times.
    return normalised.contiguous(memory_format=torch.channels_last)


def caffe_vgg(vgg19: str | None, vggface: str | None) -> CaffeVGG:
    """`perceptual=paper`: the files are Caffe's, or state dicts converted from them, for BGR input
    (see weights.py, vgg.py).

    HeadmimeError if one is missing or holds other weights.
    """
    other = "(docs/guide/cluster.md), or choose perceptual=torchvision or perceptual=efficientnet"
    vgg19_file = require_file(vgg19, "perceptual.vgg19", f"Caffe's VGG19 {other}")
    vggface_file = require_file(vggface, "perceptual.vggface", f"Caffe's VGGFace {other}")
    files = {file.name: sha256(file) for file in (vgg19_file, vggface_file)}
    if files[vgg19_file.name].startswith(TORCHVISION_VGG19):
        raise HeadmimeError(
            f"{vgg19_file} is torchvision's VGG19, which expects another input: "
            f"use perceptual=torchvision perceptual.vgg19={vgg19_file}."
        )
    return CaffeVGG(
        VGGStack(read_state_dict(vgg19_file), VGG19, VGG19_TAPS, vgg19_file.name),
        VGGStack(read_state_dict(vggface_file), VGG16, VGGFACE_TAPS, vggface_file.name),
        files,
    )
