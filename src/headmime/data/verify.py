"""Is a store what it was when it was written? Every file against its size and sha256."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from headmime.data.store import Store, read_manifest
from headmime.errors import HeadmimeError

BLOCK = 1 << 22  # bytes that are read at a time


def verify_store(
    folder: Path, on_bytes: Callable[[int, int], None] = lambda done, total: None
) -> list[str]:
    """Read every file of a store; return what is wrong, one sentence a file, none if all is well.

    on_bytes(done, total) is called now and then. HeadmimeError if there is no readable manifest.
    """
    manifest, _ = read_manifest(folder)
    records = _records(folder, manifest)
    total, done = sum(record["bytes"] for record in records.values()), 0
    damages = []
    for path, record in records.items():
        digest, size = hashlib.sha256(), 0
        try:
            with open(path, "rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    size += len(block)
                    on_bytes(min(total, done + size), total)
        except OSError as error:
            damages.append(f"{path} cannot be read ({error.strerror}).")
        else:
            if size != record["bytes"]:
                damages.append(f"{path} has {size} bytes, not {record['bytes']}.")
            elif digest.hexdigest() != record["sha256"]:
                damages.append(f"{path} has changed: its sha256 is not that of the manifest.")
        done += record["bytes"]
    on_bytes(total, total)
    if not any(damage.startswith(f"{folder / 'clips.npy'} ") for damage in damages):
        damages += _wrong_counts(folder, manifest)
    return damages


def _records(folder: Path, manifest: dict) -> dict[Path, dict]:
    """Size and hash of every file of the store but its manifest."""
    try:
        records = {folder / name: dict(record) for name, record in manifest["files"].items()}
        for shard in manifest["shards"]:
            files = shard["files"].items()
            records |= {folder / shard["name"] / name: dict(record) for name, record in files}
        return {
            path: {"bytes": r["bytes"] + 0, "sha256": r["sha256"]} for path, r in records.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HeadmimeError(
            f"{folder / 'manifest.json'} is damaged (its list of files): copy or make the store "
            "again."
        ) from error


def _wrong_counts(folder: Path, manifest: dict) -> list[str]:
    """The manifest has no hash of its own: its counts should be those of the table of clips."""
    store = Store(folder)
    counts = {
        "persons": len({person for person, _ in store.videos}),
        "videos": len(store.videos),
        "clips": store.n,
        "frames": int(store.frame_starts[-1]),
        "detector": store.clip(0).detector,
    }
    return [
        f"{folder / 'manifest.json'} says {manifest.get(key)!r} {key}, clips.npy {count!r}."
        for key, count in counts.items()
        if manifest.get(key) != count
    ]
