"""`headmime figures`, from rows to files."""

from pathlib import Path

import av
import pytest
from PIL import Image

from headmime.cli import main


@pytest.fixture
def row(store: Path, tiny_weights: Path, tmp_path: Path) -> list[str]:
    """Keys of small rows, kept under tmp_path."""
    return [
        *("-cn", "eval_store", "split=train", "videos=2", "held_out=2", "sources=2"),
        *(f"store={store}", f"weights={tiny_weights}", "dataset=made up", "device=cpu"),
        *(f"results={tmp_path / 'results'}", f"memory={tmp_path / 'memory'}"),
    ]


@pytest.fixture
def words(row: list[str], tmp_path: Path) -> list[str]:
    """And those of their figures."""
    return [
        *row,
        *("figures.methods=[copy,warp,ff]", "figures.Ts=[1,2]", "figures.people=2"),
        *(
            "figures.videos=1",
            "figures.tile=48",
            f"figures.out={tmp_path / 'my figures'}",
            "figures.consent=research",
        ),
    ]


def files(folder: Path) -> list[str]:
    names = {file.name for file in (folder / "my figures").iterdir()}
    return sorted(names - {".lock", "settings.json"})


def test_all_figures_of_two_rows(
    row: list[str], words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for T in (1, 2):
        assert main(["eval", *row, "method=copy", f"T={T}"]) == 0
    capsys.readouterr()
    worst = ["method=copy", "T=2", "figures.worst=ssim"]
    assert main(["figures", *words, *worst]) == 0
    video, grid, pdf, png, reasons, page = sorted(
        files(tmp_path), key=lambda name: ("vgqw".index(name[0]), name)
    )
    assert video.startswith("video-T2-") and grid == "grid.png" and page == "worst-copy-T2-ssim.png"
    assert reasons == "worst-copy-T2-ssim.csv"
    assert pdf.startswith("quality-made up-self-") and png == pdf.replace(".pdf", ".png")
    printed = capsys.readouterr().out
    assert "worst-copy-T2-ssim.png: 1 of 4 frames" in printed
    folder = tmp_path / "my figures"
    for name in (grid, page):  # what shows people says what it is
        assert "consent=research" in Image.open(folder / name).text["Comment"]
    with av.open(str(folder / video)) as container:
        assert "AI-generated" in container.metadata["comment"]
        assert container.streams.video[0].width > 6 * 48


def test_without_results_the_rest_is_drawn(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figures", *words, "method=ff", "T=1"]) == 0
    assert [name[0] for name in files(tmp_path)] == ["g", "v"]
    assert "`headmime eval` has not run method=ff T=1" in capsys.readouterr().out
    grid = tmp_path / "my figures" / "grid.png"
    before = grid.read_bytes()
    assert main(["figures", *words, "method=ff", "T=1", "figures.seed=9"]) == 1
    assert "what other settings made (of figures.seed; see" in capsys.readouterr().err
    assert grid.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("figures.methods=[real]", "method=real is the column Target"),
        ("figures.Ts=[3]", "T=3 should be from 1 to sources=2"),
        ("figures.consent=maybe", "consent=maybe is not known"),
        ("figures.consent=null", "consent= is missing"),
        ("figures.colour=red", "colour"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    words: list[str], change: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figures", *words, "method=copy", "T=1", change]) in (1, 2)
    assert sentence in capsys.readouterr().err
