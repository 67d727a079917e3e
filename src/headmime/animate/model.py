"""Loading of meta-learned networks for inference."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from headmime.assets import BUNDLED, weights_path
from headmime.errors import HeadmimeError
from headmime.nets import Nets
from headmime.nets.checkpoint import checkpoint_files, checkpoint_sha256, load_nets
from headmime.nets.shape import ModelShape
from headmime.pretrained.fetch import fetch_checkpoint, is_address


@dataclass(frozen=True)
class Model:
    """A checkpoint's networks, their shape, its hash, and its record (the JSON beside it)."""

    nets: Nets
    shape: ModelShape
    sha256: str
    record: dict[str, Any]

    def __repr__(self) -> str:
        size, device = self.shape.image_size, next(self.nets.embedder.parameters()).device
        name = self.sha256[:12]
        return f"<Model {name}: {size} x {size} pixels, landmarks by {self.detector}, on {device}>"

    @property
    def detector(self) -> str:
        """The landmark detector used in training; other detectors place points differently."""
        return self.record["detector"]


def weights_stem(weights: Path | str = BUNDLED[0], key: str = "weights") -> Path:
    """Path stem of a checkpoint (`BUNDLED`: in the package; an address is fetched). HeadmimeError,
    naming `key`, if it is missing.
    """
    if is_address(weights):
        return fetch_checkpoint(str(weights), key)
    stem = weights_path(str(weights)).expanduser()
    for file in checkpoint_files(stem):
        if not file.is_file():
            raise HeadmimeError(
                f"{key}={weights}: {file} is missing; give a .safetensors file with its .json "
                f"beside it, its address (docs/guide/train.md), or one of {BUNDLED}."
            )
    return stem


def load(weights: Path | str = BUNDLED[0], device: str = "auto") -> Model:
    """Load a checkpoint of meta-learned networks (default: the bundled one) onto a device.

    `device`: "auto" (the GPU if there is one), or a name that torch knows.
    """
    stem = weights_stem(weights)
    nets, shape, record = load_nets(stem)
    if not isinstance(record.get("detector"), str):
        raise HeadmimeError(
            f"{checkpoint_files(stem)[1]} names no detector of landmarks: copy both files again."
        )
    for net in nets:
        net.to(torch_device(device)).eval()
    return Model(nets, shape, checkpoint_sha256(stem), record)


def torch_device(name: str) -> torch.device:
    """Parse `device=`. HeadmimeError if torch cannot use the device here."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise HeadmimeError(f"device={name} cannot be used here; try device=cpu.") from error
    return device
