"""Writing of stores (docs/reference/formats.md): independent shards, then index and manifest."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headmime.data.open_shards import FRAME_ROW
from headmime.data.store import CLIP_KEYS, CLIP_NUMBERS, FORMAT, VERSION, Store
from headmime.errors import HeadmimeError
from headmime.files import PARTIAL, remove, sha256, write_atomically, write_text
from headmime.landmarks.crop import Crop
from headmime.landmarks.points import face_size, head_turn
from headmime.pixels import grey_sharpness

JPEG_QUALITY = 95


@dataclass(frozen=True)
class ClipFrames:
    """A clip to be stored. `frames` may be a generator; it is iterated once."""

    person: str
    video: str  # one recording of the person; W has one row per video
    clip: str
    split: str  # "train" or "test"; the same for all clips of a person
    source: str  # its file, or its seed
    fps: float
    crop: Crop  # in pixels of the source
    detector: str  # of the landmarks
    frames: Iterable[np.ndarray]  # uint8 [S, S, 3], with one S per store
    landmarks: np.ndarray  # float [n, 68, 2], crop coordinates
    times: np.ndarray  # float [n], seconds in the source
    scores: np.ndarray  # float [n], the detector's confidence


def write_shard(
    folder: Path, number: int, clips: Iterable[ClipFrames], quality: int = JPEG_QUALITY
) -> Path:
    """Write shard `number` of the store in `folder` atomically; return its path.

    Different processes may write different shards concurrently. The bytes depend only on the clips.
    """
    final = shard_path(folder, number)
    if final.exists():
        raise HeadmimeError(f"{final} exists already: remove it or write to another folder.")
    # A unique temporary name: a process presumed dead may still be writing the same shard.
    with write_atomically(final) as partial:
        partial.mkdir(parents=True)
        _write_shard_files(partial, clips, quality)
    return final


def shard_path(folder: Path, number: int) -> Path:
    """Path of shard `number`."""
    return Path(folder) / f"shard-{number:05d}"


def check_settings(out: Path, settings: dict[str, Any], previous: dict[str, Any]) -> None:
    """Raise HeadmimeError if the unfinished store `out` has other settings (`previous`)."""
    if changed := [key for key, value in settings.items() if previous.get(key) != value]:
        was = ", ".join(f"{key}={previous.get(key)}" for key in changed)
        raise HeadmimeError(
            f"{out} was begun with {was}: continue with that, or choose another out= for other "
            "settings."
        )


def finish_store(folder: Path, made: dict | None = None, extra: Sequence[str] = ()) -> Store:
    """Check that the shards in `folder` are consistent, write index and manifest, open the store.

    made: the manifest's record of how the store was made (JSON values). extra: names of other files
    in `folder` that belong to the store. Partial files of killed writers are removed.
    """
    folder = Path(folder)
    for partial_file in folder.glob(f"{PARTIAL}*"):
        remove(partial_file)
    clips, shards = [], []
    for path in sorted(folder.glob("shard-*")):
        description = json.loads((path / "clips.json").read_text())
        clips += [{**clip, "shard": len(shards)} for clip in description["clips"]]
        files = {**description["files"], "clips.json": _file_record(path / "clips.json")}
        shards.append({"name": path.name, "size": description["size"], "files": files})
    if not clips:
        raise HeadmimeError(f"{folder} holds no clips: nothing to make a store of.")
    detector = _require_one_value(folder, "detector", {clip["detector"] for clip in clips})
    size = _require_one_value(folder, "size", {shard.pop("size") for shard in shards} - {None})
    clips.sort(key=_identity)
    _check_identities(folder, clips)

    rows = _clip_rows(clips)
    with write_atomically(folder / "clips.npy") as partial, open(partial, "wb") as file:
        np.save(file, rows)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "size": size,
        "detector": detector,
        "persons": len({clip["person"] for clip in clips}),
        "videos": len({_identity(clip)[:2] for clip in clips}),
        "clips": len(clips),
        "frames": int(rows["frames"].sum()),
        "made": made,
        "files": {name: _file_record(folder / name) for name in ("clips.npy", *extra)},
        "shards": shards,
    }
    write_text(folder / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    return Store(folder)


def _write_shard_files(folder: Path, clips: Iterable[ClipFrames], quality: int) -> None:
    records, rows, size, offset = [], [], None, 0
    digest = hashlib.sha256()
    with open(folder / "frames.bin", "wb") as file:
        for clip in clips:
            first = len(rows)
            _check_clip(clip)
            sharpness = []
            for t, image in enumerate(clip.frames):
                size = size or len(image)
                if image.shape != (size, size, 3) or image.dtype != np.uint8:
                    raise ValueError(f"expected uint8 [{size}, {size}, 3], got {image.shape}")
                sharpness.append(grey_sharpness(image))
                jpeg = encode(image, quality)
                file.write(jpeg)
                digest.update(jpeg)
                rows.append((offset, len(jpeg), clip.scores[t], clip.times[t], clip.landmarks[t]))
                offset += len(jpeg)
            if len(rows) - first != len(clip.landmarks):
                raise ValueError(f"{len(rows) - first} frames, {len(clip.landmarks)} landmarks")
            records.append(
                {
                    **{key: getattr(clip, key) for key in CLIP_KEYS},
                    "fps": float(clip.fps),
                    "crop": [float(clip.crop.x), float(clip.crop.y), float(clip.crop.side)],
                    "score": float(np.mean(clip.scores)),
                    "sharpness": float(np.mean(sharpness)),
                    "face": float(np.median(face_size(clip.landmarks))) * float(clip.crop.side),
                    "turn": _turns(clip.landmarks),
                    "first": first,
                    "frames": len(rows) - first,
                }
            )
    np.save(folder / "frames.npy", np.array(rows, FRAME_ROW))
    files = {
        "frames.bin": {"bytes": offset, "sha256": digest.hexdigest()},
        "frames.npy": _file_record(folder / "frames.npy"),
    }
    description = {"size": size, "files": files, "clips": records}
    (folder / "clips.json").write_text(json.dumps(description, indent=1) + "\n")
    for path in folder.iterdir():
        with open(path, "rb") as written:
            os.fsync(written.fileno())


def _check_clip(clip: ClipFrames) -> None:
    n = len(clip.landmarks)
    if n == 0 or clip.landmarks.shape != (n, 68, 2) or not np.isfinite(clip.landmarks).all():
        raise ValueError(f"landmarks of clip {clip.clip!r} must be finite [n, 68, 2], n > 0")
    if len(clip.times) != n or len(clip.scores) != n:
        raise ValueError(f"clip {clip.clip!r} must have {n} times and scores")


def _turns(landmarks: np.ndarray) -> list[float]:
    with np.errstate(divide="ignore", invalid="ignore"):  # coincident eyes: 0
        turns = np.nan_to_num(head_turn(landmarks), posinf=0, neginf=0)
    return [float(turns.min()), float(turns.max())]


def encode(image: np.ndarray, quality: int) -> bytes:
    """Encode an image, uint8 RGB [H, W, 3], as a shard's JPEG."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _identity(clip: dict) -> tuple[bytes, bytes, bytes]:
    return _bytes(clip["person"]), _bytes(clip["video"]), _bytes(clip["clip"])


def _check_identities(folder: Path, clips: list[dict]) -> None:
    for one, next_one in pairwise(clips):
        if _identity(one) == _identity(next_one):
            name = "/".join(one[key] for key in ("person", "video", "clip"))
            raise HeadmimeError(f"Clip {name} occurs twice in {folder}: remove one of its shards.")
        if one["person"] == next_one["person"] and one["split"] != next_one["split"]:
            raise HeadmimeError(
                f"Person {one['person']!r} in {folder} is in two splits, {one['split']!r} and "
                f"{next_one['split']!r}: put all clips of a person into one."
            )


def _require_one_value(folder: Path, what: str, values: set) -> int | str:
    if len(values) > 1:
        listed = ", ".join(map(str, sorted(values)))
        raise HeadmimeError(f"{folder} mixes clips of {what} {listed}: keep one {what} per store.")
    return values.pop()


def _clip_rows(clips: list[dict]) -> np.ndarray:
    texts = {key: np.array([_bytes(clip[key]) for clip in clips]) for key in CLIP_KEYS}
    numbers = [(key, CLIP_NUMBERS[key]) for key in CLIP_NUMBERS.names or ()]
    rows = np.empty(len(clips), [(key, texts[key].dtype) for key in CLIP_KEYS] + numbers)
    for key in CLIP_KEYS:
        rows[key] = texts[key]
    for key, _ in numbers:
        rows[key] = [clip[key] for clip in clips]
    return rows


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # as Python represents undecodable file names


def _file_record(path: Path) -> dict:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}
