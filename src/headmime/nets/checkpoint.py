"""Checkpoints: ``<stem>.safetensors`` with the tensors and ``<stem>.json`` with the model's shape
and the weights' origin; or the former alone, with that JSON in its header (`join_files`).

Nothing is unpickled. Weights may be stored in float16; loaded weights are float32.
"""

import hashlib
import json
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from headmime.errors import HeadmimeError
from headmime.files import sha256, write_atomically, write_text
from headmime.nets import Nets, build_nets
from headmime.nets.generator import Synthesis
from headmime.nets.personal import PersonalGenerator
from headmime.nets.shape import ModelShape
from headmime.nets.spectral import kernels_last

FORMAT = 1
HEADER = "headmime"  # key of a joined file's metadata
MAX_NUMBER = 4096  # in a shape; with more, building the networks would take the machine's memory
Record = dict[str, Any]
"""Metadata of a checkpoint besides its shape: ``detector`` (landmark source) and ``origin`` (data,
config, commit, seed, ...).
"""


def save_nets(
    path: Path | str,
    nets: Nets,
    shape: ModelShape,
    record: Record,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write E, G, P and D's theta, w0 and b (without W); return the path of the JSON."""
    modules = nn.ModuleDict(nets._asdict())
    return _save(path, "nets", modules.state_dict(), shape, record, dtype)


def load_nets(path: Path | str) -> tuple[Nets, ModelShape, Record]:
    """Load meta-learned networks. HeadmimeError names a missing, altered or mismatched file."""
    tensors, shape, record = _load(path, "nets")
    with torch.device("meta"):
        nets = build_nets(shape)
    _fill(nn.ModuleDict(nets._asdict()), tensors, path)
    return nets, shape, record


def save_personal(
    path: Path | str,
    generator: PersonalGenerator,
    shape: ModelShape,
    record: Record,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write a person's generator G'; return the path of the JSON."""
    return _save(path, "personal", generator.state_dict(), shape, record, dtype)


def load_personal(path: Path | str) -> tuple[PersonalGenerator, ModelShape, Record]:
    """Load a person's generator. HeadmimeError as in :func:`load_nets`."""
    tensors, shape, record = _load(path, "personal")
    with torch.device("meta"):
        synthesis = Synthesis(shape)
        generator = PersonalGenerator(synthesis, torch.empty(synthesis.n_psi))
    _fill(generator, tensors, path)
    return generator, shape, record


def join_files(path: Path | str, out: Path) -> Path:
    """Write a checkpoint's two files as one, `out`: the JSON becomes a part of its header."""
    tensor_file, description = checkpoint_files(path)
    with write_atomically(out) as partial:
        header = {HEADER: description.read_text("utf-8")}
        partial.write_bytes(save(load(tensor_file.read_bytes()), header))
    return out


def _header(tensor_file: Path) -> str | None:
    """The JSON in a joined file; None if there is none."""
    try:
        with safe_open(tensor_file, "pt") as content:
            return (content.metadata() or {}).get(HEADER)
    except (OSError, ValueError, SafetensorError):  # a name that is no UTF-8 is a ValueError
        return None


def missing_file(path: Path | str) -> Path | None:
    """The file that a checkpoint lacks, or None."""
    tensor_file, description = checkpoint_files(path)
    if not tensor_file.is_file():
        return tensor_file
    return None if description.is_file() or _header(tensor_file) else description


def checkpoint_files(path: Path | str) -> tuple[Path, Path]:
    """Return the paths (tensors, JSON) for a stem or either of a checkpoint's two files."""
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in {".safetensors", ".json"} else path
    return stem.with_name(stem.name + ".safetensors"), stem.with_name(stem.name + ".json")


def checkpoint_sha256(path: Path | str) -> str:
    """Return the sha256 of a checkpoint's tensors, which identifies it in results."""
    return sha256(checkpoint_files(path)[0])


def _save(
    path: Path | str,
    kind: str,
    state: dict[str, Tensor],
    shape: ModelShape,
    record: Record,
    dtype: torch.dtype,
) -> Path:
    tensor_file, description = checkpoint_files(path)
    tensor_file.parent.mkdir(parents=True, exist_ok=True)
    # u and v stay float32: they are small, and determine the precision of sigma
    stored = {
        name: t.detach().cpu().to(t.dtype if name.endswith((".u", ".v")) else dtype).contiguous()
        for name, t in state.items()
    }
    # the tensors are moved first: a checkpoint without its JSON is ignored
    with (
        write_atomically(description) as partial_description,
        write_atomically(tensor_file) as partial,
    ):
        # by Python: safetensors takes no path that is not UTF-8, and has errors of its own
        partial.write_bytes(save(stored))
        content = {
            "format": FORMAT,
            "kind": kind,
            "shape": asdict(shape),
            "sha256": sha256(partial),
            **record,
        }
        text = json.dumps(content, indent=1, ensure_ascii=False)
        write_text(partial_description, text + "\n")
    return description


def _load(path: Path | str, kind: str) -> tuple[dict[str, Tensor], ModelShape, Record]:
    tensor_file, description = checkpoint_files(path)
    if file := missing_file(path):
        raise HeadmimeError(
            f"{file} is missing: a checkpoint is a .safetensors and a .json file of one name."
        )
    joined = None if description.is_file() else _header(tensor_file)
    try:
        content = json.loads(joined or description.read_text("utf-8"))
        if (content["format"], content["kind"]) != (FORMAT, kind):
            raise HeadmimeError(
                f"{description} describes {content['kind']!r} in format {content['format']},"
                f" but {kind!r} in format {FORMAT} is needed here."
            )
        shape = _shape(description, content["shape"])
        expected = content["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise HeadmimeError(
            f"{description} is not a headmime checkpoint description: {error}."
        ) from error
    stored = tensor_file.read_bytes()
    if joined is None and hashlib.sha256(stored).hexdigest() != expected:
        raise HeadmimeError(
            f"{tensor_file} does not match the hash in {description.name}: copy both files again."
        )
    try:
        tensors = load(stored)
    except SafetensorError as error:
        raise HeadmimeError(f"{tensor_file} is not a safetensors file: {error}.") from error
    record = {k: v for k, v in content.items() if k not in {"format", "kind", "shape", "sha256"}}
    return tensors, shape, record


def _shape(description: Path, values: dict[str, Any]) -> ModelShape:
    try:
        if wrong := [k for k, v in dict(values).items() if type(v) is not int or v > MAX_NUMBER]:
            raise HeadmimeError(f"{wrong[0]} is {values[wrong[0]]!r}.")
        return ModelShape(**values)
    except HeadmimeError as error:
        raise HeadmimeError(f"{description} describes impossible networks: {error}") from error


def _fill(module: nn.Module, tensors: dict[str, Tensor], path: Path | str) -> None:
    try:
        copies = {k: kernels_last(t.to(torch.float32, copy=True)) for k, t in tensors.items()}
        module.load_state_dict(copies, assign=True)
    except RuntimeError as error:
        told = textwrap.shorten(str(error), 300)
        raise HeadmimeError(f"{path} holds other weights than it describes: {told}") from error
    for parameter in module.parameters():
        parameter.requires_grad_(True)
