"""Credentials that are whole, missing, elsewhere, and other tools'."""

import shutil
from pathlib import Path
from typing import Any

import av
import c2pa
import pytest

from headmime.errors import HeadmimeError
from headmime.provenance.signer import Signer, _certificates
from headmime.provenance.statement import ProvenanceStatement
from headmime.provenance.verdict import State, Verdict, verdict_from_json, verify


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_what_was_signed_is_trusted_where_it_was_signed(
    signed: dict[str, Path], statement: ProvenanceStatement, suffix: str
) -> None:
    verdict = verify(signed[suffix])
    assert (verdict.state, verdict.what, verdict.generated) == (State.TRUSTED, None, True)
    assert verdict.generator is not None and verdict.generator.startswith("headmime ")
    assert verdict.signer == "headmime local certificate"
    assert verdict.statement is not None
    assert verdict.statement["consent"] == "licensed"
    assert verdict.statement["model"] == {"name": "other", "sha256": statement.model_sha256}
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


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_a_file_cut_short_or_lengthened_is_altered(
    signed: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    content = signed[suffix].read_bytes()
    copy = tmp_path / f"a{suffix}"
    for changed in (content[:-1], content[: len(content) // 2], content + b"more"):
        copy.write_bytes(changed)
        assert verify(copy).state is State.ALTERED


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
        ("Invalid", [UNTRUSTED, HASH], State.ALTERED, "image, sound or index data"),
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
    found = verdict_from_json(Path("a.mp4"), store)
    assert (found.state, found.what) == (state, what)
    assert (found.generator, found.signer, found.generated) == ("an older tool/1.0", None, False)
    results["activeManifest"]["failure"] = []
    results["ingredientDeltas"] = [{"validationDeltas": {"failure": failures}}]
    assert verdict_from_json(Path("a.mp4"), store) == found  # the same of what it was made from


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
