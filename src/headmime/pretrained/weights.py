"""Finding and safe reading of the user's weight files, with one-sentence errors."""

import pickle
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from headmime.errors import HeadmimeError
from headmime.pretrained.caffemodel import read_caffemodel
from headmime.pretrained.fetch import fetch, is_address

DOWNLOAD = "download"


def require_file(path: str | Path | None, key: str, what: str) -> Path:
    """Return `path`, or raise HeadmimeError if it is None or not a file. An address is fetched.

    `key`: the configuration key of the file; `what`: its expected content.
    """
    if path is None:
        raise HeadmimeError(f"{key} is not set: pass {key}=FILE, {what}.")
    if is_address(path):
        return fetch(str(path), key)
    path = Path(path).expanduser()
    if not path.is_file():
        raise HeadmimeError(f"{key}: there is no file {path}; pass {key}=FILE, {what}.")
    return path


def find_weights(path: str | None, key: str, what: str, url: str) -> Path:
    """The file at `path`; for `path` "download", the file at `url`, downloaded once to torch's
    cache.

    `url` ends in -<first digits of its sha256>.<suffix>, against which the download is checked.
    HeadmimeError if there is no file and the download fails.
    """
    if path != DOWNLOAD:
        return require_file(path, key, f"{what}, or {key}={DOWNLOAD} to fetch {url}")
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]
    if file.is_file():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        digits = file.stem.rsplit("-", 1)[1]
        torch.hub.download_url_to_file(url, str(file), hash_prefix=digits, progress=False)
    except (OSError, RuntimeError) as error:
        raise HeadmimeError(
            f"{key}={DOWNLOAD}: {url} could not be fetched ({error}); fetch it elsewhere and pass "
            f"{key}=FILE."
        ) from error
    return file


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Read tensors by name from a .safetensors file, a .caffemodel, or a `torch.save`d state dict,
    on the CPU.

    Unpickles tensors and plain containers only; HeadmimeError for anything else.
    """
    if path.suffix == ".caffemodel":
        return read_caffemodel(path)
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load(path.read_bytes())
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (safetensors.SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise HeadmimeError(
            f"{path} is not a state dict that can be read safely: save it as .safetensors, or with "
            "torch.save(model.state_dict(), FILE)."
        ) from error
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise HeadmimeError(f"{path} holds no plain state dict: save model.state_dict() alone.")
    return state
