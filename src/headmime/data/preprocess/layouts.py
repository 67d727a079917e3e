"""How data sets lie on disk: from a root folder to a listing of sources."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePath

from headmime.data.preprocess.listed import listed
from headmime.data.preprocess.sources import Listing, Refusal, Source, listing
from headmime.data.preprocess.walk import Found, has_video_suffix, walk
from headmime.errors import HeadmimeError

# Where VoxCeleb's videos lie, and the split that the place says.
VOXCELEB_FOLDERS = ((("mp4",), None), (("dev", "mp4"), "train"), (("test", "mp4"), "test"))
# Where the cropped faces of VoxCeleb1 lie: <name>/1.6/<youtube id>/[<track>/]<number>.jpg below.
FACES_FOLDERS = (("unzippedFaces",), ("unzippedIntervalFaces", "data"))
PICTURES = (".jpg", ".jpeg", ".png")


def list_sources(layout: str, root: Path, split: str | None = None) -> Listing:
    """The data set in `root`. HeadmimeError if it does not lie as `layout` says.

    split: of the rows of "listed" that are wanted (None: all); other layouts have no such rows.
    """
    if not root.is_dir():
        raise HeadmimeError(f"root={root} is not a folder: name the folder of the data set.")
    layouts: dict[str, Callable[[Path], Iterator[Source | Refusal]]] = {
        "voxceleb1": voxceleb1,
        "voxceleb2": voxceleb2,
        "folder": folder,
        "listed": partial(listed, split=split),
    }
    if layout not in layouts:
        raise HeadmimeError(f"data={layout}: there is only {', '.join(layouts)}.")
    if split is not None and layout != "listed":
        raise HeadmimeError(
            f"data.split={split} chooses rows of data=listed, not of data={layout}."
        )
    found = list(layouts[layout](root))
    sources = [one for one in found if isinstance(one, Source)]
    return listing(sources, [one for one in found if isinstance(one, Refusal)])


def voxceleb2(root: Path) -> Iterator[Source | Refusal]:
    """mp4/<person>/<youtube id>/<clip>.mp4, also below dev/ (train) and test/ (test)."""
    places = [place for place in VOXCELEB_FOLDERS if root.joinpath(*place[0]).is_dir()]
    if not places:
        raise HeadmimeError(
            f"root={root} has no mp4/<person>/<youtube id>/<clip>.mp4: name the folder that holds "
            "mp4 (or dev/mp4 and test/mp4), or use data=folder."
        )
    for below, split in places:
        for found in walk(root, *below):
            yield _voxceleb_clip(found, len(below), split) if isinstance(found, Found) else found


def voxceleb1(root: Path) -> Iterator[Source | Refusal]:
    """As VoxCeleb2; else the cropped faces that its authors extracted, one picture a second."""
    if any(root.joinpath(*below).is_dir() for below, _ in VOXCELEB_FOLDERS):
        yield from voxceleb2(root)
        return
    for below in FACES_FOLDERS:
        if root.joinpath(*below).is_dir():
            yield from _faces(walk(root, *below), len(below))
            return
    if not any(root.glob("*/1.6")):
        raise HeadmimeError(
            f"root={root} has neither mp4/<person>/<youtube id>/<clip>.mp4 nor unzippedFaces/<name>"
            "/1.6/<youtube id>/<number>.jpg: name the folder that holds mp4 or unzippedFaces."
        )
    yield from _faces(walk(root), 0)


def folder(root: Path) -> Iterator[Source | Refusal]:
    """Any tree of videos: a video is a file, a person is its folder, or the file in the root."""
    for found in walk(root):
        if isinstance(found, Refusal):
            yield found
            continue
        *above, name = found.parts
        file = "/".join(found.parts)
        if not has_video_suffix(name):
            yield Refusal(file, "is not named like a video")
        else:
            person = "/".join(above) or PurePath(name).stem
            yield Source(person, name, PurePath(name).stem, file, found.bytes)


def _voxceleb_clip(found: Found, depth: int, split: str | None) -> Source | Refusal:
    file, inside = "/".join(found.parts), found.parts[depth:]
    if not inside[-1].endswith(".mp4"):
        return Refusal(file, "is not named <clip>.mp4")
    if len(inside) != 3:
        return Refusal(file, "does not lie at mp4/<person>/<youtube id>/<clip>.mp4")
    person, video, name = inside
    return Source(person, video, name.removesuffix(".mp4"), file, found.bytes, split)


def _faces(files: Iterable[Found | Refusal], depth: int) -> Iterator[Source | Refusal]:
    sizes: dict[tuple[str, ...], int] = defaultdict(int)
    for found in files:
        if isinstance(found, Refusal):
            yield found
            continue
        inside = found.parts[depth:]
        if len(inside) not in (4, 5) or inside[1] != "1.6":
            reason = "does not lie at <name>/1.6/<youtube id>/<number>.jpg"
            yield Refusal("/".join(found.parts), reason)
        elif not inside[-1].lower().endswith(PICTURES):
            yield Refusal("/".join(found.parts), "is not named like a picture")
        else:
            sizes[found.parts[:-1]] += found.bytes
    for parts, size in sizes.items():
        person, _, video, *track = parts[depth:]
        yield Source(person, video, track[0] if track else "faces", "/".join(parts), size)
