"""Arrays that took long to make, kept on disk under a hash of everything that made them."""

import hashlib
import inspect
import json
import os
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def digest(*things: Any) -> str:
    """sha256 of arrays (with their shapes) and of anything that JSON can write."""
    sha = hashlib.sha256()
    for thing in things:
        if isinstance(thing, np.ndarray):
            sha.update(f"{thing.dtype}{thing.shape}".encode())
            sha.update(np.ascontiguousarray(thing).data)
        else:
            sha.update(json.dumps(thing, sort_keys=True).encode())
        sha.update(b"\0")
    return sha.hexdigest()


def code_digest(modules: Iterable[ModuleType]) -> str:
    """sha256 of the source of modules and of all that packages among them hold."""
    files: set[Path] = set()
    for module in modules:
        file = Path(inspect.getfile(module))
        files |= set(file.parent.rglob("*.py")) if file.name == "__init__.py" else {file}
    return digest([hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)])


def remembered(folder: Path, key: str, make: Callable[[], Arrays]) -> Arrays:
    """What `make` returns, from `<folder>/<key>.npz` if it was made before.

    The file appears when it is complete, so that several processes may share the folder.
    """
    file = folder / f"{key}.npz"
    if not file.is_file():
        arrays = make()
        write_arrays(file, arrays)
        return arrays
    with np.load(file, allow_pickle=False) as kept:
        return dict(kept)


def write_arrays(file: Path, arrays: Arrays) -> None:
    """Write an .npz under its name when it is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{uuid.uuid4().hex}.npz")
    try:
        np.savez(partial, **arrays)
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
