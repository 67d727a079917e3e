"""One changed bit is found wherever something is seen, heard, looked up or stated."""

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import c2pa
import numpy as np
import pytest
from PIL import Image

from headmime.provenance.verdict import State, verify

MANIFEST_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
EXCLUDED_BOXES = {"ftyp", "free", "skip", "mfra", "manifest"}  # by the standard and c2pa-rs


def boxes(content: bytes) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of an mp4's top-level boxes."""
    start = 0
    while start < len(content):
        size, kind = struct.unpack(">I4s", content[start : start + 8])
        manifest = content[start + 8 : start + 24] == MANIFEST_BOX
        yield "manifest" if manifest else kind.decode(), start, start + size
        start += size


def spans(file: Path) -> dict[str, list[tuple[int, int]]]:
    """Byte ranges of a signed file: "picture", "sound", "index", and what is excluded, by name."""
    content = file.read_bytes()
    if file.suffix == ".mp4":
        found: dict[str, list[tuple[int, int]]] = {}
        for kind, start, end in boxes(content):
            found.setdefault("index" if kind == "moov" else kind, []).append((start, end))
        with av.open(str(file)) as container:
            for packet in container.demux():
                if packet.size:
                    name = {"video": "picture", "audio": "sound"}[packet.stream.type]
                    span = (packet.pos, packet.pos + packet.size)
                    found.setdefault(name, []).append(span)
        return found
    first, last = content.find(b"jumb") - 4, content.rfind(b"c2pa.signature")
    if file.suffix == ".png":
        start = content.find(b"caBX") - 4
        end = start + 12 + struct.unpack(">I", content[start : start + 4])[0]
    else:  # a GIF's application extension: blocks of up to 255 bytes, the last one of 0
        start = content.find(b"\x21\xff\x0bC2PA_GIF")
        end = start + 14
        while content[end]:
            end += content[end] + 1
        end += 1
    assert start < first < last < end
    return {"picture": [(0, start), (end, len(content))], "manifest": [(start, end)]}


def places(ranges: list[tuple[int, int]], count: int, seed: int) -> list[int]:
    """`count` bytes of some ranges, drawn at random."""
    every = np.concatenate([np.arange(*span) for span in ranges])
    return np.random.default_rng(seed).choice(every, count).tolist()


def flipped(file: Path, position: int, folder: Path) -> Path:
    """A copy with one bit of one byte changed, another one for every position."""
    content = bytearray(file.read_bytes())
    content[position] ^= 1 << (position * 5 % 8)
    copy = folder / file.name
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize(
    ("suffix", "part"),
    [
        *((".mp4", part) for part in ("picture", "sound", "index")),
        *((suffix, "picture") for suffix in (".gif", ".png")),
    ],
)
def test_one_flipped_bit_is_found(
    signed: dict[str, Path], tmp_path: Path, suffix: str, part: str
) -> None:
    """150 positions of each part of each format: 750 in all."""
    file = signed[suffix]
    for position in places(spans(file)[part], 150, seed=len(part)):
        found = verify(flipped(file, position, tmp_path))
        assert found.state is State.ALTERED, f"byte {position} of the {part}"
        assert found.what


def test_every_byte_of_an_mp4_is_hashed_or_excluded_by_the_standard(
    signed: dict[str, Path],
) -> None:
    """docs/reference/provenance.md names the excluded boxes; no image or sound is in them."""
    kinds = {kind for kind, _, _ in boxes(signed[".mp4"].read_bytes())}
    assert kinds == {"ftyp", "manifest", "moov", "free", "mdat"}
    assert kinds - EXCLUDED_BOXES == {"moov", "mdat"}
    with c2pa.Reader(str(signed[".mp4"])) as reader:
        assertions = json.loads(reader.json())["manifests"].popitem()[1]["assertions"]
    (binding,) = [a["data"] for a in assertions if a["label"].startswith("c2pa.hash.bmff")]
    paths = {exclusion["xpath"] for exclusion in binding["exclusions"]}
    assert paths == {"/uuid", "/ftyp", "/mfra", "/free", "/skip"}


def test_the_excluded_brand_of_an_mp4_may_change(signed: dict[str, Path], tmp_path: Path) -> None:
    """The minor version in `ftyp`: the standard leaves it out of the hash, and so do we."""
    file = signed[".mp4"]
    ((start, _),) = spans(file)["ftyp"]
    for position in range(start + 12, start + 16):
        found = verify(flipped(file, position, tmp_path))
        assert replace(found, path=file) == verify(file)


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_a_bit_of_the_credentials_is_found_or_says_nothing(
    signed: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    """Their box is outside of the hash, but signed. What is not (padding, lengths that repeat) may
    change without a trace, and then nothing of what is read out changes either.
    """
    file = signed[suffix]
    whole, unnoticed = verify(file), 0
    for position in places(spans(file)["manifest"], 150, seed=1):
        found = verify(flipped(file, position, tmp_path))
        if found.state is not State.TRUSTED:
            assert found.state is not State.VALID, f"byte {position}"
        else:
            assert replace(found, path=file) == whole, f"byte {position}"
            unnoticed += 1
    assert 0 < unnoticed < 75


def test_credentials_moved_to_another_picture_are_found_out(
    signed: dict[str, Path], tmp_path: Path
) -> None:
    """The manifest of one PNG in another one."""
    Image.new("RGB", (64, 64), "white").save(tmp_path / "other.png")
    ((start, end),) = spans(signed[".png"])["manifest"]
    chunk, other = signed[".png"].read_bytes()[start:end], (tmp_path / "other.png").read_bytes()
    (tmp_path / "other.png").write_bytes(other[:33] + chunk + other[33:])
    found = verify(tmp_path / "other.png")
    assert (found.state, found.what) == (State.ALTERED, "image data")
