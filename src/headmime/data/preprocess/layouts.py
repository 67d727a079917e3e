"""Folder layouts of data sets: lists the sources below a root folder, and the refused files."""

import csv
import hashlib
import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

from headmime.data.video_reader import VIDEO_SUFFIXES
from headmime.errors import HeadmimeError, check_choice

TABLES = ("clips.tsv", "portraits.tsv")
COLUMNS = ("file", "identity", "split")
# Folders of VoxCeleb's videos and their splits.
VOXCELEB_FOLDERS = ((("mp4",), None), (("dev", "mp4"), "train"), (("test", "mp4"), "test"))
# Folders of VoxCeleb1's cropped faces: <name>/1.6/<youtube id>/[<track>/]<number>.jpg below.
FACES_FOLDERS = (("unzippedFaces",), ("unzippedIntervalFaces", "data"))
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Source:
    """A file (or folder of frames) that becomes one clip or, if split, several.

    file: path relative to the data set's root. bytes: its size. split: "train", "test", or None
    before `assign_splits`.
    """

    person: str
    video: str
    clip: str
    file: str
    bytes: int
    split: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A file, or the part of it between two times in seconds, that is not stored."""

    file: str
    reason: str
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Listing:
    """A data set's sources, sorted by person, video and clip, and files refused by name."""

    sources: list[Source]
    refused: list[Refusal]


def make_listing(sources: Iterable[Source], refused: Iterable[Refusal]) -> Listing:
    """Sort both, independently of the file system."""
    return Listing(
        sorted(sources, key=lambda s: tuple(map(os.fsencode, (s.person, s.video, s.clip)))),
        sorted(refused, key=lambda refusal: (os.fsencode(refusal.file), refusal.seconds or (0, 0))),
    )


def assign_splits(
    listed: Listing, test_share: float, test_persons: Sequence[str] | None, seed: int
) -> Listing:
    """Assign a split to each person for whom the data set does not define one.

    "test" for `test_persons`; if that is None, for a share of about `test_share` of persons, chosen
    by a hash of the name, independently of the other persons in the data set.
    """
    chosen = None if test_persons is None else set(test_persons)

    def split_of(person: str) -> str:
        if chosen is not None:
            return "test" if person in chosen else "train"
        digest = hashlib.sha256(f"{seed}/".encode() + os.fsencode(person)).digest()
        return "test" if int.from_bytes(digest[:8]) < test_share * 2**64 else "train"

    sources = [
        source if source.split else replace(source, split=split_of(source.person))
        for source in listed.sources
    ]
    return Listing(sources, listed.refused)


@dataclass(frozen=True)
class FoundFile:
    """A regular file: its path in parts below the root, and its size in bytes."""

    parts: tuple[str, ...]
    bytes: int

    @property
    def file(self) -> str:
        """Its path relative to the root."""
        return "/".join(self.parts)


def has_video_suffix(name: str) -> bool:
    """Whether the name has the suffix of a video format."""
    return PurePath(name).suffix.lower() in VIDEO_SUFFIXES | {".gif"}


def walk(
    root: Path,
    refused: list[Refusal],
    parts: tuple[str, ...] = (),
    above: tuple[tuple[int, int], ...] = (),
) -> Iterator[FoundFile]:
    """Yield the files below root/parts, with paths relative to root; what is neither a file nor a
    readable folder is appended to `refused`.

    Follows links; `above`: devices and inodes of the folders above, to find cycles.
    """
    name = "/".join(parts)
    try:
        status = os.stat(root.joinpath(*parts))
        if stat.S_ISREG(status.st_mode):
            yield FoundFile(parts, status.st_size)
        elif not stat.S_ISDIR(status.st_mode):
            refused.append(Refusal(name, "is neither a file nor a folder"))
        elif (status.st_dev, status.st_ino) in above:
            refused.append(Refusal(name, "is a link to a parent folder"))
        else:
            entries = sorted(os.listdir(root.joinpath(*parts)), key=os.fsencode)
            if not entries and has_video_suffix(name):
                refused.append(Refusal(name, "is an empty folder"))
            for entry in entries:
                here = (status.st_dev, status.st_ino)
                yield from walk(root, refused, (*parts, entry), (*above, here))
    except OSError as error:
        refused.append(Refusal(name, f"cannot be opened ({error.strerror})"))


def find_in_tables(root: Path, refused: list[Refusal], split: str | None) -> Iterator[Source]:
    """Yield the rows of `split` (None: all) of both tables, a video or a single image each.

    The person is the column identity, the video is the file. HeadmimeError for invalid tables.
    """
    tables = [root / name for name in TABLES if (root / name).is_file()]
    if not tables:
        raise HeadmimeError(
            f"root={root} has no {TABLES[0]}: it should be a table with the columns "
            f"{', '.join(COLUMNS)} (docs/guide/own_data.md)."
        )
    rows = [row for table in tables for row in _rows(table)]
    _check_persons(root, rows)
    chosen = [row for row in rows if split in (None, row["split"])]
    if not chosen:
        known = ", ".join(sorted({row["split"] for row in rows}))
        raise HeadmimeError(
            f"data.split={split} is in no row of {root}'s tables; they have {known}."
        )
    seen: set[str] = set()
    for row in chosen:
        file = row["file"]
        try:
            size = (root / file).stat().st_size
        except OSError as error:
            refused.append(Refusal(file, f"cannot be opened ({error.strerror})"))
            continue
        if file in seen:
            refused.append(Refusal(file, "is listed twice"))
        else:
            seen.add(file)
            yield Source(row["identity"], file, PurePath(file).stem, file, size)


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, ValueError) as error:
        raise HeadmimeError(f"{table} cannot be read as text: {error}.") from error
    for number, row in enumerate(rows, start=2):
        if missing := [column for column in COLUMNS if not row.get(column)]:
            raise HeadmimeError(
                f"Line {number} of {table} has no {', '.join(missing)}: columns are separated by "
                "tabs, and their names are in the first line."
            )
    return rows


def _check_persons(root: Path, rows: list[dict[str, str]]) -> None:
    splits: dict[str, str] = {}
    for row in rows:
        first = splits.setdefault(row["identity"], row["split"])
        if first != row["split"]:
            raise HeadmimeError(
                f"{root}'s tables have {row['identity']} in two splits, {first} and "
                f"{row['split']}: a person belongs to one."
            )


def list_sources(
    layout: str, root: Path, split: str | None = None, pattern: str | None = None
) -> Listing:
    """List the data set in `root`. HeadmimeError if it does not have the layout.

    split: rows of "listed" to use (None: all); HeadmimeError with other layouts. pattern: of the
    names of "named".
    """
    if not root.is_dir():
        raise HeadmimeError(f"root={root} is not a folder: name the folder of the data set.")
    layouts: dict[str, Callable[[Path, list[Refusal]], Iterator[Source]]] = {
        "voxceleb1": find_voxceleb1,
        "voxceleb2": find_voxceleb2,
        "folder": find_in_folders,
        "listed": partial(find_in_tables, split=split),
        "named": partial(find_by_name, pattern=pattern or ""),
    }
    check_choice("data", layout, layouts)
    if split is not None and layout != "listed":
        raise HeadmimeError(
            f"data.split={split} chooses rows of data=listed, not of data={layout}."
        )
    refused: list[Refusal] = []
    return make_listing(list(layouts[layout](root, refused)), refused)


def find_voxceleb2(root: Path, refused: list[Refusal]) -> Iterator[Source]:
    """Yield mp4/<person>/<youtube id>/<clip>.mp4, also below dev/ (train) and test/ (test)."""
    places = [place for place in VOXCELEB_FOLDERS if root.joinpath(*place[0]).is_dir()]
    if not places:
        raise HeadmimeError(
            f"root={root} has no mp4/<person>/<youtube id>/<clip>.mp4: name the folder that holds "
            "mp4 (or dev/mp4 and test/mp4), or use data=folder."
        )
    for below, split in places:
        for found in walk(root, refused, below):
            inside = found.parts[len(below) :]
            if not inside[-1].endswith(".mp4"):
                refused.append(Refusal(found.file, "is not named <clip>.mp4"))
            elif len(inside) != 3:
                reason = "is not at mp4/<person>/<youtube id>/<clip>.mp4"
                refused.append(Refusal(found.file, reason))
            else:
                person, video, name = inside
                clip = name.removesuffix(".mp4")
                yield Source(person, video, clip, found.file, found.bytes, split)


def find_voxceleb1(root: Path, refused: list[Refusal]) -> Iterator[Source]:
    """As VoxCeleb2; else the cropped faces extracted by its authors, one image per second."""
    if any(root.joinpath(*below).is_dir() for below, _ in VOXCELEB_FOLDERS):
        yield from find_voxceleb2(root, refused)
        return
    below = next((below for below in FACES_FOLDERS if root.joinpath(*below).is_dir()), ())
    if not below and not any(root.glob("*/1.6")):
        raise HeadmimeError(
            f"root={root} has neither mp4/<person>/<youtube id>/<clip>.mp4 nor unzippedFaces/<name>"
            "/1.6/<youtube id>/<number>.jpg: name the folder that holds mp4 or unzippedFaces."
        )
    sizes: dict[tuple[str, ...], int] = defaultdict(int)
    for found in walk(root, refused, below):
        inside = found.parts[len(below) :]
        if len(inside) not in (4, 5) or inside[1] != "1.6":
            reason = "is not at <name>/1.6/<youtube id>/<number>.jpg"
            refused.append(Refusal(found.file, reason))
        elif not inside[-1].lower().endswith(IMAGE_SUFFIXES):
            refused.append(Refusal(found.file, "is not named like an image"))
        else:
            sizes[found.parts[:-1]] += found.bytes
    for parts, size in sizes.items():
        person, _, video, *track = parts[len(below) :]
        yield Source(person, video, track[0] if track else "faces", "/".join(parts), size)


def find_in_folders(root: Path, refused: list[Refusal]) -> Iterator[Source]:
    """Any tree of videos: a file is a video; its folder is the person, or the file in the root."""
    for found in walk(root, refused):
        *above, name = found.parts
        if not has_video_suffix(name):
            refused.append(Refusal(found.file, "is not named like a video"))
        else:
            person = "/".join(above) or PurePath(name).stem
            yield Source(person, name, PurePath(name).stem, found.file, found.bytes)


def find_by_name(root: Path, refused: list[Refusal], pattern: str) -> Iterator[Source]:
    """Files whose path below root matches `pattern`, with the groups video, clip and, unless it is
    the video, person. HeadmimeError if no file does.
    """
    try:
        rule = re.compile(pattern)
    except re.error as error:
        raise HeadmimeError(f"data.pattern={pattern} is no regular expression: {error}.") from error
    if not {"video", "clip"} <= rule.groupindex.keys():
        raise HeadmimeError(f"data.pattern={pattern} should name (?P<video>...) and (?P<clip>...).")
    matches = 0
    for found in walk(root, refused):
        match = rule.fullmatch(found.file)
        if match is None:
            refused.append(Refusal(found.file, "is not named as this data set's clips are"))
            continue
        matches += 1
        video, clip = match["video"], match["clip"]
        person = match.groupdict().get("person") or video
        yield Source(person, video, clip, found.file, found.bytes)
    if not matches:
        raise HeadmimeError(
            f"root={root} has no file that is named as this data set's clips are (data.pattern="
            f"{pattern}); data=folder takes any names."
        )
