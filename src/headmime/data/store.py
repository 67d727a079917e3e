"""Store v1: clips of cropped faces with their landmarks, on disk (see docs/data.md).

    manifest.json            format, version, size, detector, counts, sha256 of every file
    clips.npy                one row per clip, sorted by person, video and clip
    shard-00000/frames.bin   JPEG pictures, one after another
    shard-00000/frames.npy   one row per picture: where it is, its time, score and 68 landmarks
    shard-00000/clips.json   the shard's clips in the order they were written

This file reads; `shards.py` writes. Everything large is memory-mapped and read when asked for.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop

FORMAT, VERSION = "headmime clip store", 1

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


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


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
