"""Credentials that are whole, changed in any bit, missing, beside the file, and other tools'."""

import json
import shutil
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import c2pa
import numpy as np
import pytest
from PIL import Image

from headmime.errors import HeadmimeError
from headmime.provenance.making import Making
from headmime.provenance.signer import Signer, _certificates
from headmime.provenance.verdict import State, Verdict, told, verify

MANIFEST_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
EXCLUDED_BOXES = {"ftyp", "free", "skip", "mfra", "manifest"}  # by the standard and c2pa-rs


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_what_was_signed_is_trusted_where_it_was_signed(
    signed: dict[str, Path], making: Making, suffix: str
) -> None:
    verdict = verify(signed[suffix])
    assert (verdict.state, verdict.what, verdict.generated) == (State.TRUSTED, None, True)
    assert verdict.generator is not None and verdict.generator.startswith("headmime ")
    assert verdict.signer == "headmime local certificate"
    assert verdict.statement is not None
    assert verdict.statement["consent"] == "licensed"
    assert verdict.statement["model"] == {"name": "other", "sha256": making.model_sha256}
    told = [(part["role"], part["kind"]) for part in verdict.statement["ingredients"]]
    assert told == [("source", "picture"), ("driving", "video")]


def test_elsewhere_the_signer_is_unknown_until_its_root_is_given(
    signed: dict[str, Path],
    configuration: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = configuration / "headmime" / "signing" / "root.pem"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert verify(signed[".mp4"]).state is State.VALID
    assert verify(signed[".mp4"], [root]).state is State.TRUSTED
    assert not list(tmp_path.iterdir())  # to look makes no certificate


def test_nothing_to_check(plain: dict[str, Path], tmp_path: Path) -> None:
    for file in plain.values():
        assert verify(file) == Verdict(file, State.NONE)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.txt").write_text("c2pa")
    for file in tmp_path.iterdir():
        assert verify(file).state is State.NONE


def test_what_cannot_be_read_is_said(tmp_path: Path, signed: dict[str, Path]) -> None:
    with pytest.raises(HeadmimeError, match=r"no\.mp4 cannot be read \(No such file"):
        verify(tmp_path / "no.mp4")
    with pytest.raises(HeadmimeError, match="cannot be read"):
        verify(tmp_path)
    with pytest.raises(HeadmimeError, match=r"no\.pem: the root cannot be read"):
        verify(signed[".png"], [tmp_path / "no.pem"])
    (tmp_path / "no.pem").write_text("hello")
    with pytest.raises(HeadmimeError, match="no certificate in PEM format"):
        verify(signed[".png"], [tmp_path / "no.pem"])


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
    """docs/provenance.md names the excluded boxes; nothing that is seen or heard is in them."""
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


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_a_file_cut_short_or_lengthened_is_altered(
    signed: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    content = signed[suffix].read_bytes()
    copy = tmp_path / f"a{suffix}"
    for changed in (content[:-1], content[: len(content) // 2], content + b"more"):
        copy.write_bytes(changed)
        assert verify(copy).state is State.ALTERED


def test_credentials_moved_to_another_picture_are_found_out(
    signed: dict[str, Path], tmp_path: Path
) -> None:
    """The manifest of one PNG in another one."""
    Image.new("RGB", (64, 64), "white").save(tmp_path / "other.png")
    ((start, end),) = spans(signed[".png"])["manifest"]
    chunk, other = signed[".png"].read_bytes()[start:end], (tmp_path / "other.png").read_bytes()
    (tmp_path / "other.png").write_bytes(other[:33] + chunk + other[33:])
    found = verify(tmp_path / "other.png")
    assert (found.state, found.what) == (State.ALTERED, "picture data")


SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TAKEN = {"action": "c2pa.created", "digitalSourceType": f"{SOURCE_TYPES}digitalCapture"}
CAMERA = {
    "claim_generator_info": [{"name": "a camera", "version": "3"}],
    "assertions": [{"label": "c2pa.actions", "data": {"actions": [TAKEN]}}],
}


def other_tool(
    plain: Path, target: Path, definition: dict[str, Any], signer: Signer, embed: bool = True
) -> bytes:
    """What another program writes: thumbnails, a title, its own name; the credentials' bytes."""
    info = c2pa.C2paSignerInfo(signer.algorithm, signer.certificate, signer.key, None)
    with (
        c2pa.Signer.from_info(info) as by,
        c2pa.Builder(definition) as builder,
        plain.open("rb") as source,
        target.open("w+b") as signed,
    ):
        if not embed:
            builder.set_no_embed()
        return builder.sign(by, "image/jpeg", source, signed)


@pytest.fixture
def stranger(tmp_path: Path) -> Signer:
    """Somebody else's certificate; its root lies in root.pem."""
    made = _certificates()
    (tmp_path / "root.pem").write_bytes(made["root.pem"])
    return Signer(made["certificate.pem"], made["key.pem"], "es256", "a stranger")


def test_outputs_of_other_tools_are_read(
    plain: dict[str, Path], stranger: Signer, tmp_path: Path
) -> None:
    definition = CAMERA | {"title": "Holiday"}
    other_tool(plain[".jpg"], tmp_path / "b.jpg", definition, stranger)
    found = verify(tmp_path / "b.jpg")
    assert (found.state, found.what) == (State.VALID, "the signer is unknown here")
    assert (found.generator, found.generated, found.statement) == ("a camera 3", False, None)
    assert verify(tmp_path / "b.jpg", [tmp_path / "root.pem"]).state is State.TRUSTED
    shutil.copy(tmp_path / "b.jpg", tmp_path / "renamed.mp4")  # its bytes say what it is
    assert verify(tmp_path / "renamed.mp4").state is State.VALID


def test_credentials_beside_a_file_are_read(
    plain: dict[str, Path], stranger: Signer, tmp_path: Path
) -> None:
    content = other_tool(plain[".jpg"], tmp_path / "b.jpg", CAMERA, stranger, embed=False)
    assert verify(tmp_path / "b.jpg").state is State.NONE
    (tmp_path / "b.c2pa").write_bytes(content)
    assert verify(tmp_path / "b.jpg").state is State.VALID
    with (tmp_path / "b.jpg").open("ab") as file:
        file.write(b"more")
    assert verify(tmp_path / "b.jpg").state is State.ALTERED


def test_credentials_that_are_elsewhere_are_not_fetched(
    plain: dict[str, Path], stranger: Signer, tmp_path: Path
) -> None:
    info = c2pa.C2paSignerInfo(stranger.algorithm, stranger.certificate, stranger.key, None)
    with (
        c2pa.Signer.from_info(info) as by,
        c2pa.Builder(CAMERA) as builder,
        plain[".jpg"].open("rb") as source,
        (tmp_path / "b.jpg").open("w+b") as target,
    ):
        builder.set_no_embed()
        builder.set_remote_url("http://localhost:1/b.c2pa")
        builder.sign(by, "image/jpeg", source, target)
    found = verify(tmp_path / "b.jpg")
    assert found.state is State.NONE
    assert found.what is not None and "http://localhost:1/b.c2pa" in found.what


HASH = {
    "code": "assertion.bmffHash.mismatch",
    "url": "self#jumbf=c2pa.assertions/c2pa.hash.bmff.v3",
}
ASSERTION = {"code": "assertion.hashedURI.mismatch", "url": "self#jumbf=c2pa.assertions/my.claim"}
SIGNATURE = {"code": "claimSignature.mismatch", "url": "self#jumbf=c2pa.signature"}
EXPIRED = {"code": "signingCredential.expired", "url": "self#jumbf=c2pa.signature"}
UNTRUSTED = {"code": "signingCredential.untrusted", "url": "self#jumbf=c2pa.signature"}


@pytest.mark.parametrize(
    ("word", "failures", "state", "what"),
    [
        ("Trusted", [], State.TRUSTED, None),
        ("Valid", [UNTRUSTED], State.VALID, "the signer is unknown here"),
        ("Invalid", [UNTRUSTED, HASH], State.ALTERED, "picture, sound or index data"),
        ("Invalid", [ASSERTION], State.ALTERED, "statement my.claim"),
        (
            "Invalid",
            [SIGNATURE, EXPIRED],
            State.ALTERED,
            "signature, the signer's certificate has expired",
        ),
        ("Invalid", [EXPIRED, UNTRUSTED], State.INVALID, "the signer's certificate has expired"),
        ("Invalid", [{"code": "claim.multiple"}], State.ALTERED, "claim.multiple"),
    ],
)
def test_what_the_reader_found_in_words(
    word: str, failures: list[dict[str, str]], state: State, what: str | None
) -> None:
    results = {"activeManifest": {"success": [], "failure": failures}}
    store = {
        "active_manifest": "a",
        "manifests": {"a": {"claim_generator": "an older tool/1.0"}},
        "validation_state": word,
        "validation_results": results,
    }
    found = told(Path("a.mp4"), store)
    assert (found.state, found.what) == (state, what)
    assert (found.generator, found.signer, found.generated) == ("an older tool/1.0", None, False)
    results["activeManifest"]["failure"] = []
    results["ingredientDeltas"] = [{"validationDeltas": {"failure": failures}}]
    assert told(Path("a.mp4"), store) == found  # the same of what it was made from


def test_a_remuxed_copy_has_no_credentials(signed: dict[str, Path], tmp_path: Path) -> None:
    """Not even where the same packets are copied, as by `ffmpeg -c copy`."""
    copy = tmp_path / "copy.mp4"
    with av.open(str(signed[".mp4"])) as read, av.open(str(copy), "w") as written:
        streams = {one.index: written.add_stream_from_template(one) for one in read.streams}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                written.mux(packet)
    assert verify(copy).state is State.NONE
