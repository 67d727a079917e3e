"""Disk cache of computed arrays, keyed by a hash of all inputs."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from headmime.files import write_atomically

PROTOCOL = "2"
"""Version of the evaluation protocol, part of every cache key and row. Increment it when metrics,
trials, crops, landmark tracking or alignment of embeddings change. (0.1.0 used hashes of source
files instead.)
"""

Arrays = dict[str, np.ndarray]


def digest(*things: Any) -> str:
    """SHA-256 of arrays (with dtype and shape) and JSON-serialisable values."""
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
    """Return `make()`, cached in `<folder>/<key>.npz`.

    Written atomically, so that several processes can share the folder.
    """
    file = folder / f"{key}.npz"
    if not file.is_file():
        arrays = make()
        write_arrays(file, arrays)
        return arrays
    with np.load(file, allow_pickle=False) as content:
        return dict(content)


def write_arrays(file: Path, arrays: Arrays) -> None:
    """Write an .npz atomically."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(file) as partial:
        np.savez(partial, **arrays)  # pyright: ignore[reportArgumentType]  (no array is called allow_pickle)
