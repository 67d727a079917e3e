"""Store v1: clips of cropped faces with their landmarks, on disk (see docs/data.md).

    manifest.json            format, version, size, detector, counts, sha256 of every file
    clips.npy                one row per clip, sorted by person, video and clip
    shard-00000/frames.bin   JPEG pictures, one after another
    shard-00000/frames.npy   one row per picture: where it is, its time, score and 68 landmarks
    shard-00000/clips.json   the shard's clips in the order they were written

Shards are written independently (`write_shard`), then `finish_store` adds the two files on top.
Everything large is memory-mapped and read when asked for.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop

FORMAT, VERSION = "headmime clip store", 1
JPEG_QUALITY = 95

FRAME_ROW = np.dtype(
    [
        ("offset", "<i8"),  # bytes, in frames.bin
        ("bytes", "<i4"),
        ("score", "<f4"),  # the detector's
        ("time", "<f8"),  # seconds in the source
        ("landmarks", "<f2", (68, 2)),  # crop coordinates
    ]
)
CLIP_KEYS = ("person", "video", "clip", "split", "source", "detector")


@dataclass(frozen=True)
class ClipFrames:
    """A clip to be stored. `frames` may be a generator: it is read once, picture by picture."""

    person: str
    video: str  # one recording of the person; W has one row per video
    clip: str
    split: str  # "train" or "test"; the same for all clips of a person
    source: str  # where it came from: a file, or a seed
    fps: float
    crop: Crop  # in pixels of the source
    detector: str  # where the landmarks came from
    frames: Iterable[np.ndarray]  # uint8 [S, S, 3], S the same in the whole store
    landmarks: np.ndarray  # float [n, 68, 2], crop coordinates
    times: np.ndarray  # float [n], seconds in the source
    scores: np.ndarray  # float [n], the detector's confidence


@dataclass(frozen=True)
class Clip:
    """A stored clip: row of the manifest."""

    person: str
    video: str
    clip: str
    split: str
    source: str
    detector: str
    fps: float
    crop: Crop
    score: float  # mean over its frames
    shard: int
    first: int  # its first row in the shard's frames.npy
    frames: int


def write_shard(
    folder: Path, number: int, clips: Iterable[ClipFrames], quality: int = JPEG_QUALITY
) -> Path:
    """Write shard `number` of the store in `folder`; it appears only when it is complete.

    Different shards may be written by different processes at the same time. The bytes depend on the
    clips alone.
    """
    final = shard_path(folder, number)
    if final.exists():
        raise HeadmimeError(f"{final} exists already: remove it or write to another folder.")
    partial = final.with_name(f".{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_shard_files(partial, clips, quality)
        os.replace(partial, final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return final


def shard_path(folder: Path, number: int) -> Path:
    """Where shard `number` is, or will be."""
    return Path(folder) / f"shard-{number:05d}"


def finish_store(folder: Path) -> "Store":
    """Check the shards in `folder` against each other, write index and manifest, open the store."""
    folder = Path(folder)
    clips, shards = [], []
    for path in sorted(folder.glob("shard-*")):
        description = json.loads((path / "clips.json").read_text())
        clips += [{**clip, "shard": len(shards)} for clip in description["clips"]]
        files = {**description["files"], "clips.json": _file_record(path / "clips.json")}
        shards.append({"name": path.name, "size": description["size"], "files": files})
    if not clips:
        raise HeadmimeError(f"{folder} holds no clips: nothing to make a store of.")
    detector = _the_same(folder, "detector", {clip["detector"] for clip in clips})
    size = _the_same(folder, "size", {shard.pop("size") for shard in shards} - {None})
    clips.sort(key=_identity)
    _check_identities(folder, clips)

    rows = _clip_rows(clips)
    with _replacing(folder / "clips.npy") as partial, open(partial, "wb") as file:
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
        "files": {"clips.npy": _file_record(folder / "clips.npy")},
        "shards": shards,
    }
    with _replacing(folder / "manifest.json") as partial:
        partial.write_text(json.dumps(manifest, indent=1) + "\n")
    return Store(folder)


class Store:
    """A finished store, opened for reading; cheap to open and to send to another process.

    Clips are numbered in the order of (person, video, clip), so a video's clips are neighbours.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        try:
            text = (self.folder / "manifest.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise HeadmimeError(
                f"{self.folder} is not a finished clip store: it has no manifest.json."
            ) from None
        try:
            manifest = json.loads(text)
        except ValueError as error:
            raise HeadmimeError(
                f"{self.folder}/manifest.json is damaged ({error}): copy or make the store again."
            ) from error
        if (manifest.get("format"), manifest.get("version")) != (FORMAT, VERSION):
            raise HeadmimeError(
                f"{self.folder}/manifest.json is not of format {FORMAT!r}, version {VERSION}: make "
                "the store again with this version of headmime."
            )
        self.hash: str = hashlib.sha256(text).hexdigest()
        self.size: int = manifest["size"]
        self.detector: str = manifest["detector"]
        self._shards: list[dict] = manifest["shards"]
        self._open: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._rows = _load(self.folder / "clips.npy", manifest["files"]["clips.npy"]["bytes"])
        keys = self._rows[["person", "video"]]
        first_of_video = np.append(True, keys[1:] != keys[:-1])
        # [videos + 1]: the first clip of each video. [clips + 1]: the first frame of each clip.
        self.video_starts = np.append(np.flatnonzero(first_of_video), self.n)
        self.frame_starts = np.append(0, np.cumsum(self._rows["frames"], dtype=np.int64))

    def __reduce__(self) -> tuple:
        return Store, (self.folder,)

    @property
    def n(self) -> int:
        """The number of clips."""
        return len(self._rows)

    @cached_property
    def videos(self) -> list[tuple[str, str]]:
        """(person, video) of every video, sorted: the index is the video's row of W."""
        rows = self._rows[self.video_starts[:-1]]
        return [(_text(row["person"]), _text(row["video"])) for row in rows]

    @property
    def clips(self) -> list[Clip]:
        """All clips, in order."""
        return [self.clip(index) for index in range(self.n)]

    def clip(self, index: int) -> Clip:
        """One row of the manifest."""
        row = self._rows[index]
        return Clip(
            **{key: _text(row[key]) for key in CLIP_KEYS},
            fps=float(row["fps"]),
            crop=Crop(*row["crop"].tolist()),
            score=float(row["score"]),
            shard=int(row["shard"]),
            first=int(row["first"]),
            frames=int(row["frames"]),
        )

    def clips_of(self, video: int) -> range:
        """The clip numbers of video number `video`."""
        return range(self.video_starts[video], self.video_starts[video + 1])

    def videos_in(self, split: str) -> np.ndarray:
        """The numbers of the videos of a split, int64, increasing."""
        return np.flatnonzero(self._rows["split"][self.video_starts[:-1]] == split.encode())

    def frame(self, clip: int, t: int) -> np.ndarray:
        """Frame t of a clip, decoded: uint8 RGB [size, size, 3]."""
        pictures, rows = self._shard(int(self._rows["shard"][clip]))
        row = rows[self._row(clip, t)]
        start = int(row["offset"])
        jpeg = pictures[start : start + int(row["bytes"])]
        picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB) if jpeg.size else None
        if picture is None or picture.shape != (self.size, self.size, 3):
            raise HeadmimeError(
                f"Frame {t} of clip {self.clip(clip).clip!r} in {self.folder} is damaged: "
                "make the store again."
            )
        return picture

    def landmarks(self, clip: int) -> np.ndarray:
        """A clip's landmarks, float32 [n, 68, 2], crop coordinates."""
        return self._frame_rows(clip)["landmarks"].astype(np.float32)

    def landmarks_at(self, clip: int, t: int) -> np.ndarray:
        """The landmarks of frame t of a clip, float32 [68, 2], crop coordinates."""
        rows = self._shard(int(self._rows["shard"][clip]))[1]
        return rows["landmarks"][self._row(clip, t)].astype(np.float32)

    def times(self, clip: int) -> np.ndarray:
        """When its frames were, float64 [n], seconds in the source."""
        return np.array(self._frame_rows(clip)["time"])

    def scores(self, clip: int) -> np.ndarray:
        """The detector's confidence, float32 [n]."""
        return np.array(self._frame_rows(clip)["score"])

    def _row(self, clip: int, t: int) -> int:
        row = self._rows[clip]
        if not 0 <= t < row["frames"]:
            raise IndexError(f"clip {clip} has {row['frames']} frames, not a frame {t}")
        return int(row["first"]) + t

    def _frame_rows(self, clip: int) -> np.ndarray:
        row = self._rows[clip]
        first = int(row["first"])
        return self._shard(int(row["shard"]))[1][first : first + int(row["frames"])]

    def _shard(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """A shard's two files, mapped into memory at first use."""
        if number not in self._open:
            shard = self._shards[number]
            path = self.folder / shard["name"]
            sizes = {name: record["bytes"] for name, record in shard["files"].items()}
            _check_size(path / "frames.bin", sizes["frames.bin"])
            pictures = np.memmap(path / "frames.bin", np.uint8, mode="r")
            # A plain array: slicing a memmap costs several times as much.
            self._open[number] = (
                pictures.view(np.ndarray),
                _load(path / "frames.npy", sizes["frames.npy"]),
            )
        return self._open[number]


def _write_shard_files(folder: Path, clips: Iterable[ClipFrames], quality: int) -> None:
    records, rows, size, offset = [], [], None, 0
    digest = hashlib.sha256()
    with open(folder / "frames.bin", "wb") as file:
        for clip in clips:
            first = len(rows)
            _check_clip(clip)
            for t, picture in enumerate(clip.frames):
                size = size or len(picture)
                if picture.shape != (size, size, 3) or picture.dtype != np.uint8:
                    raise ValueError(f"expected uint8 [{size}, {size}, 3], got {picture.shape}")
                jpeg = _encode(picture, quality)
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


def _check_clip(clip: ClipFrames) -> None:
    n = len(clip.landmarks)
    if n == 0 or clip.landmarks.shape != (n, 68, 2) or not np.isfinite(clip.landmarks).all():
        raise ValueError(f"landmarks of clip {clip.clip!r} must be finite [n, 68, 2], n > 0")
    if len(clip.times) != n or len(clip.scores) != n:
        raise ValueError(f"clip {clip.clip!r} must have {n} times and scores")


def _encode(picture: np.ndarray, quality: int) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _identity(clip: dict) -> tuple[bytes, bytes, bytes]:
    return tuple(_bytes(clip[key]) for key in ("person", "video", "clip"))


def _check_identities(folder: Path, clips: list[dict]) -> None:
    for one, next_one in pairwise(clips):
        if _identity(one) == _identity(next_one):
            name = "/".join(one[key] for key in ("person", "video", "clip"))
            raise HeadmimeError(f"Clip {name} is twice in {folder}: remove one of its shards.")
        if one["person"] == next_one["person"] and one["split"] != next_one["split"]:
            raise HeadmimeError(
                f"Person {one['person']!r} in {folder} is in two splits, {one['split']!r} and "
                f"{next_one['split']!r}: put all clips of a person into one."
            )


def _the_same(folder: Path, what: str, values: set) -> int | str:
    if len(values) > 1:
        listed = ", ".join(map(str, sorted(values)))
        raise HeadmimeError(f"{folder} mixes clips of {what} {listed}: keep one {what} per store.")
    return values.pop()


def _clip_rows(clips: list[dict]) -> np.ndarray:
    texts = {key: np.array([_bytes(clip[key]) for clip in clips]) for key in CLIP_KEYS}
    numbers = [("fps", "<f8"), ("crop", "<f8", (3,)), ("score", "<f4"), ("shard", "<i4")]
    numbers += [("first", "<i8"), ("frames", "<i4")]
    rows = np.empty(len(clips), [(key, texts[key].dtype) for key in CLIP_KEYS] + numbers)
    for key in CLIP_KEYS:
        rows[key] = texts[key]
    for key, *_ in numbers:
        rows[key] = [clip[key] for clip in clips]
    return rows


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # as Python represents odd file names


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _file_record(path: Path) -> dict:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def _load(path: Path, size: int) -> np.ndarray:
    _check_size(path, size)
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)


def _check_size(path: Path, size: int) -> None:
    actual = path.stat().st_size if path.exists() else None
    if actual != size:
        raise HeadmimeError(
            f"{path} is damaged ({actual} bytes, the manifest says {size}): copy or make the store "
            "again."
        )


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, moved there if all goes well."""
    partial = path.with_name(f".{path.name}.partial")
    yield partial
    os.replace(partial, path)
