"""All files below a folder, whatever strange things lie there."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from headmime.data.preprocess.sources import Refusal

VIDEO_SUFFIXES = {
    *(".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov"),
    *(".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
}


@dataclass(frozen=True)
class Found:
    """A regular file: its path in parts below the root, and its size in bytes."""

    parts: tuple[str, ...]
    bytes: int


def walk(root: Path, *below: str) -> Iterator[Found | Refusal]:
    """The files below root/below, with paths from root; links are followed, but not in circles."""
    yield from _walk(root, below, ())


def has_video_suffix(name: str) -> bool:
    """Whether the name says that it is a video."""
    return PurePath(name).suffix.lower() in VIDEO_SUFFIXES


def _walk(
    root: Path, parts: tuple[str, ...], above: tuple[tuple[int, int], ...]
) -> Iterator[Found | Refusal]:
    name = "/".join(parts)
    try:
        status = os.stat(root.joinpath(*parts))
        if stat.S_ISREG(status.st_mode):
            yield Found(parts, status.st_size)
        elif not stat.S_ISDIR(status.st_mode):
            yield Refusal(name, "is neither a file nor a folder")
        elif (status.st_dev, status.st_ino) in above:
            yield Refusal(name, "is a link to a folder that it lies in")
        else:
            entries = sorted(os.listdir(root.joinpath(*parts)), key=os.fsencode)
            if not entries and has_video_suffix(name):
                yield Refusal(name, "is an empty folder")
            for entry in entries:
                yield from _walk(root, (*parts, entry), (*above, (status.st_dev, status.st_ino)))
    except OSError as error:
        yield Refusal(name, f"cannot be opened ({error.strerror})")
