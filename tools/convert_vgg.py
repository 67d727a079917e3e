"""Extract the convolutions of a published VGG19 or VGGFace, for `perceptual=paper`.

    python tools/convert_vgg.py FILE OUT.safetensors [--rgb]

FILE is a .caffemodel, or a state dict (.pth, .safetensors) with Caffe's or torchvision's names. OUT
has a seventh of its bytes, or fewer. --rgb: FILE's first layer takes red, green, blue, as what was
converted from MatConvNet does (vgg_face_dag.pth); OUT's takes blue, green, red, as Caffe's. FILE's
sha256 is printed and kept in OUT.
"""

import argparse
import re
import sys
from pathlib import Path

import safetensors.torch
import torch

from headmime.errors import HeadmimeError
from headmime.files import sha256
from headmime.pretrained.weights import read_state_dict, require_file

CONVOLUTION = re.compile(r"(conv\d_\d|features\.\d+)\.(weight|bias)")
FIRST = ("conv1_1.weight", "features.0.weight")


def convolutions(state: dict[str, torch.Tensor], rgb: bool) -> dict[str, torch.Tensor]:
    """Return the convolutions' weights and biases, float32; the first expects BGR input."""
    kept = {name: v.float() for name, v in state.items() if CONVOLUTION.fullmatch(name)}
    first = next((name for name in FIRST if name in kept), None)
    if first is None:
        raise HeadmimeError(f"It has neither {' nor '.join(FIRST)}: it is no VGG.")
    if rgb:
        kept[first] = kept[first].flip(1)
    return {name: value.contiguous() for name, value in kept.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("out", type=Path)
    parser.add_argument("--rgb", action="store_true", help="FILE's first layer takes RGB")
    words = parser.parse_args()
    file = require_file(words.file, "FILE", "a .caffemodel, .pth or .safetensors")
    kept = convolutions(read_state_dict(file), words.rgb)
    origin = {"source": file.name, "source_sha256": sha256(file)}
    safetensors.torch.save_file(kept, words.out, metadata=origin)
    print(f"{file}: sha256 {origin['source_sha256']}")
    print(f"{words.out}: {len(kept) // 2} convolutions, sha256 {sha256(words.out)}")


if __name__ == "__main__":
    try:
        main()
    except HeadmimeError as error:
        sys.exit(str(error))
