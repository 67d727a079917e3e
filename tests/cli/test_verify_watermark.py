"""`headmime verify` tells what a watermark carries, also where nothing else is left."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from headmime.animate.media_writer import encode
from headmime.cli import main
from headmime.provenance.watermark import PUBLIC_KEY, embed

PAYLOAD = b"\x07\xa5\x00\xfe"


def frames(count: int, key: bytes) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    coarse = random.integers(60, 200, (12, 12, 3), dtype=np.uint8)
    still = cv2.resize(coarse, (128, 128), interpolation=cv2.INTER_CUBIC)
    return list(embed([still] * count, PAYLOAD, key, 25))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    encode(tmp_path / "out.mp4", iter(frames(50, PUBLIC_KEY)), Fraction(25), "")
    return tmp_path / "out.mp4"


def test_a_file_that_lost_its_credentials_has_its_watermark(out, capsys):
    assert main(["verify", str(out)]) == 3
    assert capsys.readouterr().out == f"{out}: none; watermark 07a500fe\n"
    assert main(["verify", str(out), "json=true"]) == 3
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["state"], told["watermark"]) == ("none", "07a500fe")


def test_a_picture_has_one(tmp_path, capsys):
    encode(tmp_path / "out.png", iter(frames(1, PUBLIC_KEY)), Fraction(1), "")
    assert main(["verify", str(tmp_path / "out.png")]) == 3
    assert capsys.readouterr().out.endswith("watermark 07a500fe\n")


def test_ones_own_key_finds_ones_own_mark_alone(out, tmp_path, capsys):
    key = tmp_path / "key"
    key.write_bytes(b"sixteen bytes or more")
    encode(tmp_path / "own.mp4", iter(frames(50, key.read_bytes())), Fraction(25), "")
    assert main(["verify", f"watermark_key={key}", str(out), str(tmp_path / "own.mp4")]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(": none") and lines[1].endswith("watermark 07a500fe")
    key.write_bytes(b"short")
    assert main(["verify", f"watermark_key={key}", str(out)]) == 1
    assert "at least 16 bytes" in capsys.readouterr().err


def test_what_has_no_picture_has_no_watermark(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no picture")
    assert main(["verify", str(tmp_path / "notes.txt")]) == 3
    assert capsys.readouterr().out.endswith("notes.txt: none\n")
