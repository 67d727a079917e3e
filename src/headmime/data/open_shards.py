"""Reading of shards, with a bounded number of open files."""

import os
import resource
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from headmime.errors import HeadmimeError

FRAME_ROW = np.dtype(
    [
        ("offset", "<i8"),  # bytes, in frames.bin
        ("bytes", "<i4"),
        ("score", "<f4"),  # the detector's
        ("time", "<f8"),  # seconds in the source
        ("landmarks", "<f2", (68, 2)),  # crop coordinates
    ]
)
SHARE = 4  # use at most a quarter of the process's limit of open files
SCALES = (2, 4, 8)  # downscaling factors of libjpeg-turbo's decoder

# Python 3.11.2 may raise SystemError when two threads parse at once, as numpy parses headers.
PARSING = threading.Lock()


class OpenShards:
    """LRU cache of the open shards of the store in `folder`, by number.

    Files are read with pread, not mapped: memory use is independent of the number of shards, and
    forked processes do not share file positions.
    """

    def __init__(self, folder: Path, shards: list[dict], most: int | None = None) -> None:
        self._folder, self._shards = folder, shards
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = most or max(1, files // SHARE // len(OpenShard.FILES))
        self._open: OrderedDict[int, OpenShard] = OrderedDict()

    def __getitem__(self, number: int) -> "OpenShard":
        if number in self._open:
            self._open.move_to_end(number)
        else:
            shard = self._shards[number]
            sizes = {name: record["bytes"] for name, record in shard["files"].items()}
            self._open[number] = OpenShard(self._folder / shard["name"], sizes)
            if len(self._open) > self.most:
                self._open.popitem(last=False)
        return self._open[number]


class OpenShard:
    """An open shard: rows of its frame table, and decoding of images by row."""

    FILES = ("frames.bin", "frames.npy")

    def __init__(self, folder: Path, sizes: dict[str, int]) -> None:
        self._images, self._table = (_File(folder / name, sizes[name]) for name in self.FILES)
        self._first_row = _header_length(self._table)

    def rows(self, first: int, count: int) -> np.ndarray:
        """Read rows of frames.npy: FRAME_ROW [count], read-only. HeadmimeError if they are not
        there.
        """
        size = FRAME_ROW.itemsize
        try:
            content = self._table.read(self._first_row + first * size, count * size)
        except ValueError as error:
            raise HeadmimeError(
                f"{self._table.path} is damaged (it has no rows {first} to {first + count}): copy "
                "or make the store again."
            ) from error
        return np.frombuffer(content, FRAME_ROW)

    def decode(self, row: np.void, image: np.ndarray, size: int) -> bool:
        """Decode the image of a row, of side `size`, into `image`, uint8 RGB [S, S, 3], S <= size.

        Returns False if it is damaged; `image` is then undefined.
        """
        S = len(image)
        shrunk_while_decoding = size == S or size in [S * scale for scale in SCALES]
        decoded = image if shrunk_while_decoding else np.empty((size, size, 3), np.uint8)
        try:
            jpeg = self._images.read(int(row["offset"]), int(row["bytes"]))
            side = len(decoded)
            found = simplejpeg.decode_jpeg(jpeg, min_height=side, min_width=side, buffer=decoded)
        except (OSError, ValueError):
            return False
        if found.shape != decoded.shape:
            return False
        if not shrunk_while_decoding:
            cv2.resize(decoded, (S, S), dst=image, interpolation=cv2.INTER_AREA)
        return True


@dataclass
class _File:
    """An open file, closed when garbage collected."""

    path: Path
    size: int

    def __post_init__(self) -> None:
        check_size(self.path, self.size)
        self._descriptor = os.open(self.path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def read(self, start: int, count: int) -> bytes:
        """Read `count` bytes at `start`; ValueError beyond the end of the file."""
        if start < 0 or count < 0 or start + count > self.size:
            raise ValueError(f"{self.path} has no {count} bytes at {start}")
        return os.pread(self._descriptor, count, start)


def check_size(path: Path, size: int) -> None:
    """Raise HeadmimeError unless the file exists and has `size` bytes."""
    actual = path.stat().st_size if os.path.exists(path) else None  # False: no possible name
    if actual != size:
        raise HeadmimeError(
            f"{path} is damaged ({actual} bytes, the manifest says {size}): copy or make the store "
            "again."
        )


def _header_length(table: _File) -> int:
    with PARSING, open(table.path, "rb") as file:
        try:
            np.lib.format.read_magic(file)
            _, _, dtype = np.lib.format.read_array_header_1_0(file)
        except Exception:  # numpy evaluates the header, and raises whatever that leads to
            dtype = None
        if dtype != FRAME_ROW:
            raise HeadmimeError(
                f"{table.path} is damaged (its header is not that of a table of frames): copy or "
                "make the store again."
            )
        return file.tell()
