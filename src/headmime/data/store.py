"""Store v2: clips of cropped faces with their landmarks, on disk (see docs/reference/formats.md).

    manifest.json            format, version, size, detector, counts, sha256 of every file
    clips.npy                one row per clip, sorted by person, video and clip
    shard-00000/frames.bin   concatenated JPEG images
    shard-00000/frames.npy   one row per image: offset, size, time, score and 68 landmarks
    shard-00000/clips.json   the shard's clips in writing order

This module reads, `shards.py` writes. Frames are read on demand.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from headmime.data.open_shards import PARSING, OpenShard, OpenShards, check_size
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop

FORMAT, VERSION = "headmime clip store", 2
REMEDY = "copy or make the store again."
READABLE = (1, 2)  # version 1 had no quality measures

CLIP_KEYS = ("person", "video", "clip", "split", "source", "detector")
CLIP_NUMBERS = np.dtype(
    [
        ("fps", "<f8"),
        ("crop", "<f8", (3,)),
        ("score", "<f4"),
        ("sharpness", "<f4"),
        ("face", "<f4"),
        ("turn", "<f4", (2,)),
        ("shard", "<i4"),
        ("first", "<i8"),
        ("frames", "<i4"),
    ]
)
QUALITY = ("sharpness", "face", "turn")  # for readers of clips.npy; not in version 1
MAX_SIZE = 65_535  # pixels: JPEG's


@dataclass(frozen=True)
class Clip:
    """A stored clip: a row of clips.npy."""

    person: str
    video: str
    clip: str
    split: str
    source: str
    detector: str
    fps: float
    crop: Crop
    score: float  # mean over its frames
    frames: int


class Store:
    """A finished store, opened for reading; cheap to open and to pickle.

    Clips are numbered in the order of (person, video, clip), so a video's clips are consecutive.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        manifest, self.hash = read_manifest(self.folder)
        self.size: int = manifest["size"]
        self.detector: str = manifest["detector"]
        self._shards = OpenShards(self.folder, manifest["shards"])
        self._rows = _load(self.folder / "clips.npy", manifest)
        keys = self._rows[["person", "video"]]
        first_of_video = np.append(True, keys[1:] != keys[:-1])
        # [videos + 1]: the first clip of each video. [clips + 1]: the first frame of each clip.
        self.video_starts = np.append(np.flatnonzero(first_of_video), self.n)
        self.frame_starts = np.append(0, np.cumsum(self._rows["frames"], dtype=np.int64))

    def __reduce__(self) -> tuple:
        return Store, (self.folder,)

    @property
    def n(self) -> int:
        """Number of clips."""
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
        """The clip with number `index`."""
        row = self._rows[index]
        return Clip(
            **{key: _text(row[key]) for key in CLIP_KEYS},
            fps=float(row["fps"]),
            crop=Crop(*row["crop"].tolist()),
            score=float(row["score"]),
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
        image = np.empty((self.size, self.size, 3), np.uint8)
        self.read_into([image], [(clip, t)])
        return image

    def read_into(
        self, images: Sequence[np.ndarray] | np.ndarray, frames: Sequence[tuple[int, int]]
    ) -> np.ndarray:
        """Decode n frames (clip, t) into uint8 RGB [S, S, 3]; S is the store's size or smaller.

        The decoder downscales by 2, 4 or 8, which is cheaper than area averaging with nearly the
        same result. Returns the landmarks, float32 [n, 68, 2], crop coordinates.
        """
        landmarks = np.empty((len(frames), 68, 2), np.float32)
        for k, (clip, t) in enumerate(frames):
            shard = self._shards[int(self._rows["shard"][clip])]
            (row,) = shard.rows(self._row(clip, t), 1)
            if not shard.decode(row, images[k], self.size):
                raise HeadmimeError(
                    f"Frame {t} of clip {self.clip(clip).clip!r} in {self.folder} is damaged: "
                    "make the store again."
                )
            landmarks[k] = row["landmarks"]
        return landmarks

    def landmarks(self, clip: int) -> np.ndarray:
        """A clip's landmarks, float32 [n, 68, 2], crop coordinates."""
        return self._frame_rows(clip)["landmarks"].astype(np.float32)

    def landmarks_at(self, clip: int, t: int) -> np.ndarray:
        """The landmarks of frame t of a clip, float32 [68, 2], crop coordinates."""
        (row,) = self._shards[int(self._rows["shard"][clip])].rows(self._row(clip, t), 1)
        return row["landmarks"].astype(np.float32)

    def times(self, clip: int) -> np.ndarray:
        """Times of a clip's frames in the source, float64 [n], seconds."""
        return np.array(self._frame_rows(clip)["time"])

    def scores(self, clip: int) -> np.ndarray:
        """The detector's confidence for a clip's frames, float32 [n]."""
        return np.array(self._frame_rows(clip)["score"])

    def _row(self, clip: int, t: int) -> int:
        row = self._rows[clip]
        if not 0 <= t < row["frames"]:
            raise IndexError(f"clip {clip} has {row['frames']} frames, not a frame {t}")
        return int(row["first"]) + t

    def _frame_rows(self, clip: int) -> np.ndarray:
        row = self._rows[clip]
        return self._shards[int(row["shard"])].rows(int(row["first"]), int(row["frames"]))


def read_manifest(folder: Path) -> tuple[dict, str]:
    """Read a store's manifest; return it and its sha256, the store's hash. HeadmimeError if it is
    missing or damaged.
    """
    path = folder / "manifest.json"
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise HeadmimeError(
            f"{folder} is not a finished clip store: it has no manifest.json."
        ) from None
    try:
        manifest = dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise HeadmimeError(f"{path} is damaged ({error}): {REMEDY}") from error
    if manifest.get("format") != FORMAT or manifest.get("version") not in READABLE:
        raise HeadmimeError(
            f"{path} is not of format {FORMAT!r}, version {VERSION}: make the store again with "
            "this version of headmime."
        )
    try:
        _check_entries(manifest)
    except KeyError as error:
        raise HeadmimeError(f"{path} is damaged (no {error}): {REMEDY}") from error
    except (TypeError, ValueError) as error:
        raise HeadmimeError(f"{path} is damaged ({error}): {REMEDY}") from error
    return manifest, hashlib.sha256(text).hexdigest()


def _check_entries(manifest: dict) -> None:
    """KeyError, TypeError or ValueError if what is read of a manifest is missing or impossible."""
    if not 1 <= _integer(manifest["size"]) <= MAX_SIZE:
        raise ValueError(f"size {manifest['size']}")
    if not isinstance(manifest["detector"], str):
        raise TypeError("its detector is no name")
    _integer(manifest["files"]["clips.npy"]["bytes"])
    for shard in manifest["shards"]:
        if Path(shard["name"]).name != shard["name"]:
            raise ValueError(f"shard {shard['name']!r}")
        for name in OpenShard.FILES:
            _integer(shard["files"][name]["bytes"])


def _integer(value: object) -> int:
    if type(value) is not int:  # a bool is none
        raise TypeError(f"{value!r} is no number")
    return value


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _load(path: Path, manifest: dict) -> np.ndarray:
    check_size(path, manifest["files"]["clips.npy"]["bytes"])
    try:
        # A plain array: slicing a memmap is several times slower.
        with PARSING:
            rows = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        _check_rows(rows, len(manifest["shards"]))
    except Exception as error:  # numpy evaluates the header, and raises whatever that leads to
        raise HeadmimeError(f"{path} is damaged ({error}): {REMEDY}") from error
    return rows


def _check_rows(rows: np.ndarray, shards: int) -> None:
    """ValueError unless these are rows of clips, each with frames in one of the shards."""
    columns = {name: kind for name, (kind, *_) in (rows.dtype.fields or {}).items()}
    wrong = [key for key in CLIP_KEYS if key not in columns or columns[key].kind != "S"]
    columns = {key: CLIP_NUMBERS[key] for key in QUALITY} | columns  # version 1 has none
    wrong += [k for k in CLIP_NUMBERS.names or () if columns.get(k) != CLIP_NUMBERS[k]]
    if wrong or rows.ndim != 1 or not len(rows):
        raise ValueError(f"it is no table of clips: {', '.join(wrong) or rows.shape}")
    within = (rows["shard"] >= 0) & (rows["shard"] < shards)
    if not (within & (rows["frames"] > 0) & (rows["first"] >= 0)).all():
        raise ValueError("a clip's frames are nowhere")
