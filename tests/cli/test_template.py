"""`headmime template`: as a user types it."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from headmime.animate.driving import load_template
from headmime.assets import MONA_LISA
from headmime.cli import main


@pytest.fixture
def short(tmp_path: Path, mona_lisa: Path) -> Path:
    """Five frames of the painting, and a beep."""
    picture = np.asarray(Image.open(mona_lisa).convert("RGB").resize((256, 256)))
    path = tmp_path / "her, [1]=a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Lisa Gherardini"
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 256
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_template_holds_landmarks_and_nothing_else(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "new" / "her.npz"
    assert main(["template", str(short), f"out={out}"]) == 0
    assert str(out) in capsys.readouterr().out
    with np.load(out, allow_pickle=False) as content:
        assert sorted(content) == ["fps", "landmarks"]
    driving = load_template(out)
    assert (driving.landmarks.shape, driving.fps) == ((5, 68, 2), 10)
    kept = out.read_bytes()
    assert b"Lisa" not in kept
    assert b"her, " not in kept
    assert len(kept) < 8000


def test_part_of_a_video(short: Path, tmp_path: Path) -> None:
    out = tmp_path / "part.npz"
    assert main(["template", str(short), f"out={out}", "start=0.2", "end=0.4"]) == 0
    assert len(load_template(out).landmarks) == 2


def test_without_a_name_it_lies_under_runs(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["template", short.name]) == 0
    assert (tmp_path / "runs" / "templates" / "her, [1]=a.npz").is_file()


@pytest.mark.parametrize("suffix", [".png", ".gif", ".mp4"])
def test_show_draws_it(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / f"talk{suffix}"
    assert main(["template", "show", "talk", f"out={out}"]) == 0
    said = capsys.readouterr().out
    assert "125 frames, 25 a second, 5.0 s; mouth opening 0.1" in said
    if suffix == ".mp4":
        with av.open(str(out)) as container:
            pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
        assert len(pictures) == 125
    else:
        with Image.open(out) as picture:
            pictures = [np.asarray(picture.convert("RGB"))]
    assert (pictures[0].max((0, 1)) > 200).all()  # lines of many colours
    assert [file.name for file in tmp_path.iterdir()] == [out.name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.mp4"], "nothing.mp4: there is no such video."),
        (["show", "nothing"], "there is no such file"),
        (["show", "{video}"], "is no template"),
        (["{video}", "out=x.mp4"], "out=x.mp4: the name must end in .npz."),
        (["{video}", "start=7"], "has no frames between start=7 (in seconds)."),
    ],
)
def test_mistakes_are_one_sentence(
    short: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["template", *(word.format(video=short) for word in words)]) == 1
    assert said in capsys.readouterr().err


def test_an_image_is_no_motion(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["template", str(MONA_LISA), f"out={tmp_path}/t.npz"]) == 1
    assert "is one image; a video is needed" in capsys.readouterr().err
