"""Arrays that took long to make, kept on disk under a hash of everything that made them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from headmime.files import write_atomically

PROTOCOL = "2"
"""Part of every key of cached scores, and of every row. Raise it with a change of what is measured:
metrics, trials, crops, how landmarks are followed or embeddings aligned. (0.1.0 had hashes of
source files in its place.)"""

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


def load_or_compute(folder: Path, key: str, make: Callable[[], Arrays]) -> Arrays:
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
    with write_atomically(file) as partial:
        np.savez(partial, **arrays)  # pyright: ignore[reportArgumentType]  (no array is called allow_pickle)
