"""Summary, contact sheet and verification of a store."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headmime.data.store import Store, read_manifest
from headmime.errors import HeadmimeError
from headmime.images import resize
from headmime.landmarks.drawing import draw_landmarks
from headmime.landmarks.points import head_turn

MAX_TURN_CLIPS = 2000  # evenly spaced clips of which landmarks are read
TILE = 128
COLUMNS, ROWS = 6, 8  # of the contact sheet; a tile is an image beside its drawing

BLOCK = 1 << 22  # bytes per read


@dataclass(frozen=True)
class StoreSummary:
    """Counts of a store, and values for histograms.

    splits: name -> (persons, videos, clips, frames). bytes: total size of the files. frames: per
    video, [videos]. scores: the detector's mean confidence, [clips]. turns: `head_turn` of the
    frames of at most MAX_TURN_CLIPS clips.
    """

    splits: dict[str, tuple[int, int, int, int]]
    size: int
    detector: str
    hash: str
    bytes: int
    frames: np.ndarray
    scores: np.ndarray
    turns: np.ndarray


def summarise(store: Store) -> StoreSummary:
    """Summarise a store from its tables and some of its landmarks."""
    clips = store.clips
    splits = {}
    for split in sorted({clip.split for clip in clips}):
        part = [clip for clip in clips if clip.split == split]
        splits[split] = (
            len({clip.person for clip in part}),
            len({(clip.person, clip.video) for clip in part}),
            len(part),
            sum(clip.frames for clip in part),
        )
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    turn_clips = _pick_evenly(store.n, MAX_TURN_CLIPS)
    return StoreSummary(
        splits=splits,
        size=store.size,
        detector=store.detector,
        hash=store.hash,
        bytes=sum(path.stat().st_size for path in files),
        frames=np.diff(store.frame_starts[store.video_starts]),
        scores=np.array([clip.score for clip in clips], np.float32),
        turns=np.concatenate([head_turn(store.landmarks(clip)) for clip in turn_clips]),
    )


def histogram(values: np.ndarray, bins: int = 12, width: int = 40) -> Iterator[str]:
    """Yield text lines: the range of each bin, a bar, and the number of values in it."""
    counts, edges = np.histogram(values, bins if np.ptp(values) > 0 else 1)
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        bar = "#" * int(np.ceil(width * count / counts.max()))
        yield f"{low:9.3f} .. {high:8.3f}  {bar:{width}}  {count:,}"


def contact_sheet(store: Store) -> np.ndarray:
    """Frames and drawings of evenly spaced videos of the store: uint8 RGB [H, W, 3]."""
    tiles = []
    for video in _pick_evenly(len(store.videos), COLUMNS * ROWS):
        clip = store.clips_of(video)[0]
        t = store.clip(clip).frames // 2
        image = resize(store.frame(clip, t), TILE)
        tiles.append(np.concatenate([image, draw_landmarks(store.landmarks_at(clip, t), TILE)], 1))
    missing = -len(tiles) % COLUMNS
    tiles += [np.zeros_like(tiles[0])] * missing
    rows = [np.concatenate(tiles[k : k + COLUMNS], 1) for k in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows)


def _pick_evenly(n: int, most: int) -> list[int]:
    """At most `most` evenly spaced integers of 0..n-1."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()


def verify_store(
    folder: Path, on_bytes: Callable[[int, int], None] = lambda done, total: None
) -> list[str]:
    """Verify every file of a store; return one sentence per damaged file.

    on_bytes(done, total) reports progress. HeadmimeError if there is no readable manifest.
    """
    manifest, _ = read_manifest(folder)
    records = _file_records(folder, manifest)
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
        damages += _check_counts(folder, manifest)
    return damages


def _file_records(folder: Path, manifest: dict) -> dict[Path, dict]:
    """Size and hash of every file of the store except the manifest."""
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


def _check_counts(folder: Path, manifest: dict) -> list[str]:
    """Compare the manifest's counts with the table of clips (the manifest itself has no hash)."""
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
