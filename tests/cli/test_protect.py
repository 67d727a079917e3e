"""`headmime protect` and `headmime protection` as typed."""

import json

import numpy as np
import pytest
from PIL import Image

from headmime.cli import main

FEW = ["steps=2", "perceptual=efficientnet"]


@pytest.fixture
def words(tiny_weights) -> list[str]:
    return ["protect", *FEW, f"weights={tiny_weights}"]


def test_the_image_keeps_its_size_and_its_metadata(words, mona_lisa, tmp_path, capsys):
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Leonardo"  # stored lying on its side; its artist
    upright = Image.open(mona_lisa)
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif, quality=95)
    for name in ("out.png", "out.jpg"):
        assert main([*words, f"source={turned}", f"out={tmp_path / name}"]) == 0
        with Image.open(tmp_path / name) as out:
            assert out.size == upright.size
            assert out.getexif()[0x0112] == 1 and out.getexif()[0x013B] == "Leonardo"
            pixels = np.array(out.convert("RGB")).astype(int)
        assert np.abs(pixels - np.array(upright)).mean() < 8
    said = capsys.readouterr().out
    assert "1 face(s); largest change 4 of 255" in said and "PSNR" in said and "SSIM" in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["out=SOURCE"], "is the input"),
        (["out=x.gif"], "must end in .png"),
        (["strength=99"], "strength=99 should be"),
        (["source=OTHER"], "run it again"),
    ],
)
def test_refusals(words, mona_lisa, tmp_path, monkeypatch, capsys, keys, said):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source.png"
    Image.open(mona_lisa).save(source)
    keys = [key.replace("SOURCE", str(source)) for key in keys]
    assert main([*words, f"source={source}", "out=out.png", *keys]) == 1
    assert said in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["source.png"]


def test_an_image_without_a_face_is_refused(words, tmp_path, capsys):
    Image.new("RGB", (64, 64)).save(tmp_path / "plain.png")
    assert main([*words, f"source={tmp_path / 'plain.png'}", f"out={tmp_path / 'out.png'}"]) == 1
    assert "no face was found" in capsys.readouterr().err


def test_the_study_compares_three_treatments(store, tiny_weights, tmp_path, capsys):
    few = ["split=train", "videos=2", "held_out=2", "sources=2", "T=1", "dataset=made up"]
    study = [
        *("protection", "-cn", "eval_store", *few, f"store={store}", f"weights={tiny_weights}"),
        *(f"results={tmp_path}", f"memory={tmp_path / 'memory'}", "protection.steps=2"),
        *("protection.methods=[ff,warp]", "protection.platforms=[jpeg]"),
        *(f"protection.unseen=[{tiny_weights}]", f"protection.out={tmp_path / 'out'}"),
    ]
    assert main(study) == 0
    content = json.loads((tmp_path / "out" / "protection.json").read_text())
    rows = content["rows"]
    # ff with both weights, the warp once: each in three treatments
    assert len(rows) == (2 + 1) * 3
    assert {row["treatment"] for row in rows} == {"clean", "noise", "protected"}
    page = (tmp_path / "out" / "protection.md").read_text()
    assert page in capsys.readouterr().out
    assert page.count("| protected - noise |") == 3
    files = sorted((tmp_path / "out" / "rows").glob("*.json"))
    made = [file.stat().st_mtime_ns for file in files]
    assert len(files) == 6  # the weights "unseen" are the same here
    assert main(study) == 0  # everything is there
    assert [file.stat().st_mtime_ns for file in files] == made
    assert not list(tmp_path.glob("*.json"))  # `headmime report` makes no tables of them
