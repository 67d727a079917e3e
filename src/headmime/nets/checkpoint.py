"""Weights on disk: ``<stem>.safetensors`` with the tensors and ``<stem>.json`` with how to build
their networks and where they come from.

Nothing is ever unpickled. Floating-point weights may be stored in float16 and are computed with in
float32.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from headmime.errors import HeadmimeError
from headmime.files import sha256, write_atomically
from headmime.nets import Nets, build_nets
from headmime.nets.generator import Synthesis
from headmime.nets.personal import PersonalGenerator
from headmime.nets.shape import ModelShape
from headmime.nets.spectral import kernels_last

FORMAT = 1
Record = dict[str, Any]
"""What a checkpoint says of itself beside its shape: ``detector`` (landmark source) and ``origin``
(data, config, commit, seed, ...).
"""


def save_nets(
    path: Path | str,
    nets: Nets,
    shape: ModelShape,
    record: Record,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write E, G, P and D's theta, w0 and b (never W); return the path of the JSON."""
    modules = nn.ModuleDict(nets._asdict())
    return _save(path, "nets", modules.state_dict(), shape, record, dtype)


def load_nets(path: Path | str) -> tuple[Nets, ModelShape, Record]:
    """Read meta-learned networks. Raises HeadmimeError naming the file that is missing, altered or
    of another kind.
    """
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
    """Write one person's generator G'; return the path of the JSON."""
    return _save(path, "personal", generator.state_dict(), shape, record, dtype)


def load_personal(path: Path | str) -> tuple[PersonalGenerator, ModelShape, Record]:
    """Read one person's generator. Raises HeadmimeError as :func:`load_nets` does."""
    tensors, shape, record = _load(path, "personal")
    with torch.device("meta"):
        synthesis = Synthesis(shape)
        generator = PersonalGenerator(synthesis, torch.empty(synthesis.n_psi))
    _fill(generator, tensors, path)
    return generator, shape, record


def checkpoint_files(path: Path | str) -> tuple[Path, Path]:
    """Return (tensors, description) for a stem or for either of a checkpoint's two files."""
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in {".safetensors", ".json"} else path
    return stem.with_name(stem.name + ".safetensors"), stem.with_name(stem.name + ".json")


def checkpoint_sha256(path: Path | str) -> str:
    """Return the sha256 of a checkpoint's tensors, by which results name it."""
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
    # u and v stay float32: they are small, and sigma is as exact as they are
    stored = {
        name: t.detach().cpu().to(t.dtype if name.endswith((".u", ".v")) else dtype).contiguous()
        for name, t in state.items()
    }
    # the tensors take their place first: without its description a checkpoint is not there
    with (
        write_atomically(description) as partial_description,
        write_atomically(tensor_file) as partial,
    ):
        save_file(stored, partial)
        partial.chmod(0o644)  # safetensors writes for the owner alone
        content = {
            "format": FORMAT,
            "kind": kind,
            "shape": asdict(shape),
            "sha256": sha256(partial),
            **record,
        }
        text = json.dumps(content, indent=1, ensure_ascii=False)
        partial_description.write_text(text + "\n")
    return description


def _load(path: Path | str, kind: str) -> tuple[dict[str, Tensor], ModelShape, Record]:
    tensor_file, description = checkpoint_files(path)
    for file in (tensor_file, description):
        if not file.is_file():
            raise HeadmimeError(
                f"{file} is missing: a checkpoint is a .safetensors and a .json file of one name."
            )
    try:
        content = json.loads(description.read_text())
        if (content["format"], content["kind"]) != (FORMAT, kind):
            raise HeadmimeError(
                f"{description} describes {content['kind']!r} in format {content['format']},"
                f" but {kind!r} in format {FORMAT} is needed here."
            )
        shape = ModelShape(**content["shape"])
        expected = content["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise HeadmimeError(
            f"{description} is not a headmime checkpoint description: {error}."
        ) from error
    if sha256(tensor_file) != expected:
        raise HeadmimeError(
            f"{tensor_file} does not match the hash in {description.name}: copy both files again."
        )
    try:
        tensors = load_file(tensor_file)
    except SafetensorError as error:
        raise HeadmimeError(f"{tensor_file} is not a safetensors file: {error}.") from error
    record = {k: v for k, v in content.items() if k not in {"format", "kind", "shape", "sha256"}}
    return tensors, shape, record


def _fill(module: nn.Module, tensors: dict[str, Tensor], path: Path | str) -> None:
    try:
        # a copy: the file is mapped into memory, and may be replaced while we use it
        copies = {k: kernels_last(t.to(torch.float32, copy=True)) for k, t in tensors.items()}
        module.load_state_dict(copies, assign=True)
    except RuntimeError as error:
        raise HeadmimeError(f"{path} holds other weights than it describes: {error}") from error
    for parameter in module.parameters():
        parameter.requires_grad_(True)
