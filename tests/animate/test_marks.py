"""What outputs carry, and what they do not give away of a private picture."""

import json
import logging
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import c2pa
import numpy as np
import pytest
from PIL import Image

import headmime
from headmime.animate.media_writer import write_media
from headmime.animate.model import Model
from headmime.landmarks.faces import Detector
from headmime.provenance.statement import Consent, Kind, ProvenanceOptions, ProvenanceStatement
from headmime.provenance.verdict import State, verify

SUFFIXES = (".mp4", ".gif", ".png")
OWN = ProvenanceStatement(Consent.OWN)
SECRETS = ("Zweibrücken", "Quastenflosser", "holiday-with-anna", "secret-driver", "Old Title")


def grey(count: int) -> list[np.ndarray]:
    return [np.full((128, 128, 3), 128, np.uint8)] * count


def count_of(suffix: str) -> int:
    return 1 if suffix == ".png" else 6


def first_frame(path: Path) -> np.ndarray:
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            return next(container.decode(video=0)).to_ndarray(format="rgb24")
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def has_label(frame: np.ndarray) -> bool:
    """Light letters on a dark plate in the corner, where all was grey."""
    corner = frame[-20:, -60:]
    return bool(corner.max() > 150 and corner.min() < 60)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_output_is_marked_by_default(tmp_path: Path, suffix: str) -> None:
    path = write_media(tmp_path / f"out{suffix}", grey(count_of(suffix)), Fraction(25), OWN)
    found = verify(path)
    assert (found.state, found.generated) == (State.TRUSTED, True)
    assert found.statement is not None and len(found.statement["watermark"]) == 8
    frame = first_frame(path).astype(int)
    assert has_label(frame)
    assert 0 < abs(frame[:64, :64] - 128).max() < 30  # the watermark, seen by nobody


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("off", ["label", "watermark", "credentials"])
def test_each_mark_is_turned_off_alone_and_the_log_says_so(
    tmp_path: Path, suffix: str, off: str, caplog: pytest.LogCaptureFixture
) -> None:
    marks = ProvenanceOptions(**{off: False})
    path = tmp_path / f"out{suffix}"
    with caplog.at_level(logging.WARNING):
        write_media(path, grey(count_of(suffix)), Fraction(25), OWN, marks)
    assert caplog.messages == [f"out{suffix} lacks marks: provenance.{off}=false."]
    found, frame = verify(path), first_frame(path).astype(int)
    assert (found.state is State.NONE) == (off == "credentials")
    assert has_label(frame) == (off != "label")
    assert (abs(frame[:64, :64] - 128).max() <= 2) == (off == "watermark")
    assert (found.statement is None) == (off == "credentials")
    if found.statement is not None:
        assert (found.statement["watermark"] is None) == (off == "watermark")


def test_pictures_from_elsewhere_make_a_composite(tmp_path: Path) -> None:
    """The standard's word for what is generated in part."""
    for kind, word in [(Kind.GENERATED, "trained"), (Kind.COMPOSITE, "compositeWithTrained")]:
        statement = ProvenanceStatement(Consent.OWN, kind=kind)
        path = write_media(tmp_path / "out.png", grey(1), Fraction(1), statement)
        (action,) = assertions(path)["c2pa.actions.v2"]["actions"]
        assert action["action"] == "c2pa.created"
        assert action["digitalSourceType"].endswith(f"/{word}AlgorithmicMedia")
        assert verify(path).generated


def test_a_drawing_is_signed_but_not_called_generated(tmp_path: Path) -> None:
    statement = ProvenanceStatement(Consent.NOT_STATED, kind=Kind.DRAWN)
    path = write_media(tmp_path / "out.png", grey(1), Fraction(1), statement)
    assert (verify(path).state, verify(path).generated) == (State.TRUSTED, False)
    assert np.array_equal(first_frame(path), grey(1)[0])
    assert b"AI-generated" not in path.read_bytes()


def assertions(path: Path) -> dict[str, dict]:
    with c2pa.Reader(str(path)) as reader:
        (manifest,) = json.loads(reader.json())["manifests"].values()
    return {one["label"]: one["data"] for one in manifest["assertions"]}


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, mona_lisa: Path) -> Path:
    """A folder of a private name with a picture that says much of itself: EXIF, a place, a comment,
    a thumbnail.
    """
    folder = tmp_path_factory.mktemp("Quastenflosser")
    picture = Image.open(mona_lisa)
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = "Zweibrücken 1987", "Quastenflosser"  # description, artist
    exif.get_ifd(0x8825)[1] = "N"  # a place
    thumbnail = folder / "t.jpg"
    picture.resize((64, 64)).save(thumbnail)
    plain = folder / "plain.jpg"
    picture.save(plain, exif=exif, comment=b"Zweibr\xc3\xbccken", quality=90)
    return folder


def test_nothing_private_is_in_an_output(
    private: Path,
    model: Model,
    dlib: Detector,
    moving: Path,
    tmp_path: Path,
) -> None:
    """The bytes of outputs hold no name, path, EXIF or thumbnail of what they were made from."""
    source = private / "holiday-with-anna.jpg"
    (private / "plain.jpg").rename(source)
    driver = private / "secret-driver.mp4"
    with av.open(str(moving)) as read, av.open(str(driver), "w") as written:
        written.metadata["title"] = "Old Title"
        stream = written.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                written.mux(packet)
    person = headmime.personalise(model, [source], finetune=None, consent="licensed", detector=dlib)
    animation = headmime.animate(person, driver, detector=dlib)
    for suffix in SUFFIXES:
        path = headmime.save(animation, tmp_path / f"out{suffix}")
        content = path.read_bytes()
        parts = [part for part in private.parts[1:] if len(part) > 4]
        for word in chain(SECRETS, parts, [str(tmp_path), "Exif", "JFIF", "thumbnail"]):
            for spelt in (word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be")):
                assert spelt not in content, f"{word} is in the {suffix}"
        assert (private / "t.jpg").read_bytes()[-200:] not in content
        statement = assertions(path)["org.headmime.making"]
        assert set(statement) == {
            *("software", "model", "ingredients", "settings", "watermark", "consent", "time"),
        }
        assert [set(part) for part in statement["ingredients"]] == [
            {"role", "kind", "sha256"},
            {"role", "kind", "sha256"},
        ]
        labels = {label.split(".")[1] for label in assertions(path)}
        assert labels - {"hash"} == {"actions", "headmime"}
        assert verify(path).state is State.TRUSTED
