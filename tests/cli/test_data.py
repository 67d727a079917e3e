"""`headmime data`: its errors, inspect and verify; sitters are tested where they are made."""

from pathlib import Path

import numpy as np
import pytest

from headmime.cli import main
from headmime.data.image_reader import read_image
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.landmarks.crop import Crop


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sitters", "out=x"], 2, "n= is missing"),
        (["sitters", "n=2"], 2, "out= is missing"),
        (["sitters", "n=2", "out=x", "colour=red"], 2, "colour"),
        (["sitters", "n=two", "out=x"], 2, "two"),
        (["sisters", "n=2"], 2, "the verbs are: data sitters, data inspect, data verify."),
    ],
)
def test_errors_are_one_sentence(words, code, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["data", *words]) == code
    output = capsys.readouterr().err
    assert said in output
    assert "Traceback" not in output
    assert list(tmp_path.iterdir()) == []


def test_help(capsys):
    assert main(["data"]) == 0
    assert "sitters" in capsys.readouterr().out
    assert main(["data", "sitters", "--help"]) == 0
    assert "frames=" in capsys.readouterr().out


def test_inspect_and_verify(capsys, tmp_path):
    store = small_store(tmp_path / "a store=1")
    sheet = tmp_path / "new folder" / "sheet.png"
    assert main(["data", "inspect", str(store), f"out={sheet}"]) == 0
    printed = capsys.readouterr().out
    assert "16 x 16 pixels, points of dlib" in printed and str(sheet) in printed
    assert read_image(sheet).shape[2] == 3
    hidden = store / "manifest.png"
    hidden.symlink_to(store / "manifest.json")
    for out, said in ((store / "manifest.json", "must end in .png"), (hidden, "is the input")):
        assert main(["data", "inspect", str(store), f"out={out}"]) == 1
        assert said in capsys.readouterr().err
    hidden.unlink()
    assert main(["data", "verify", str(store)]) == 0
    assert f"{store} is whole" in capsys.readouterr().out
    file = store / "shard-00000" / "frames.bin"
    file.write_bytes(file.read_bytes()[::-1])
    assert main(["data", "verify", str(store)]) == 1
    said = capsys.readouterr()
    assert f"{file} has changed" in said.out and "1 place(s)" in said.err


def small_store(folder: Path) -> Path:
    frames = [np.full((16, 16, 3), 40 * t, np.uint8) for t in range(4)]
    points = np.random.default_rng(0).uniform(0, 1, (4, 68, 2))
    times, crop = np.arange(4) / 25, Crop(0, 0, 16)
    names = {key: key for key in ("person", "video", "clip", "split", "source")}
    clip = ClipFrames(
        **names,
        fps=25,
        crop=crop,
        detector="dlib",
        frames=frames,
        landmarks=points,
        times=times,
        scores=np.ones(4),
    )
    write_shard(folder, 0, [clip])
    finish_store(folder)
    return folder
