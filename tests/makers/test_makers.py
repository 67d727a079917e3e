"""What made files of this repository still makes them: on few sitters, and elsewhere."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from headmime.assets import ASSETS
from headmime.data.store import Store
from headmime.files import sha256
from headmime.pretrained import sitter_identity
from headmime.pretrained.dlib_identity import CENTRE
from headmime.sitters.write import write_sitters

ROOT = Path(__file__).parents[2]
MAKERS = ROOT / "makers"
MADE = {
    "curves": "experiments/*/curves.png",
    "identity_centre": "src/**/dlib_identity.py",
    "landmark_noise": "src/**/detector_noise.npz",
    "landmark_vertices": "src/**/points.py",
    "motions": "src/**/motions/talk.npz",
    "rehearsal_frames": "src/**/rehearsal.npz",
    "stability": "docs/results/stability/healthy.png",
    "train_identity": "src/**/identity.safetensors",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty sitters, of whom the last is of the split "test"."""
    out = tmp_path_factory.mktemp("sitters") / "store"
    write_sitters(20, out, frames=4, size=64, seed=2, workers=2)
    return out


def run(monkeypatch: pytest.MonkeyPatch, script: Path, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", [script.name, *words])
    runpy.run_path(str(script), run_name="__main__")


def test_what_is_no_bench_made_a_file_that_is_there() -> None:
    assert {file.stem for file in MAKERS.iterdir() if file.suffix} == MADE.keys()
    assert all(list(ROOT.glob(made)) for made in MADE.values())
    others = {file.stem for file in (ROOT / "tools").glob("[!b]*.py")}
    assert others == {"convert_vgg", "join_shards"}, "neither a bench nor a user's converter"


def test_motions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, MAKERS / "motions.py", str(tmp_path))
    made = sorted(tmp_path.iterdir())
    assert [file.name for file in made] == ["listen-and-smile.npz", "talk.npz", "turn.npz"]
    for file in made:
        bundled = np.load(ASSETS / "motions" / file.name)["landmarks"]
        assert np.abs(np.load(file)["landmarks"] - bundled).max() < 1e-3


@pytest.mark.slow
def test_rehearsal_frames(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "rehearsal.npz"
    run(monkeypatch, MAKERS / "rehearsal_frames.py", str(store), str(out))
    with np.load(out) as made:
        assert made["landmarks"].shape == (1, 3, 68, 2) and len(made["ends"]) == 3
        first = made["jpegs"][: made["ends"][0]].tobytes()
    assert simplejpeg.decode_jpeg(first).shape == (64, 64, 3)


@pytest.mark.slow
def test_identity_centre(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mean of eight pictures is nearer to the constant than to nothing."""
    run(monkeypatch, MAKERS / "identity_centre.py", str(store))
    printed = capsys.readouterr().out
    found = np.array([float(word) for word in printed.strip("[] \n").replace(",", " ").split()])
    assert np.linalg.norm(found - CENTRE) < 0.5 * np.linalg.norm(found)


@pytest.mark.slow
def test_train_identity_and_its_bench(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is the kind of file that the package carries; one person has no one to be mistaken
    for, so that the figures are of all twenty.
    """
    words = ("--steps", "2", "--people", "4", "--every", "1")
    run(monkeypatch, MAKERS / "train_identity.py", str(store), str(tmp_path), *words)
    made = json.loads((tmp_path / "identity.json").read_text())
    assert made["sha256"] == sha256(tmp_path / "identity.safetensors")
    assert made["origin"]["people"] == 17 and made["origin"]["settings"]["steps"] == 2
    monkeypatch.setattr(sitter_identity, "FILE", tmp_path / "identity.safetensors")
    monkeypatch.setattr(Store, "videos_in", lambda store, split: np.arange(len(store.videos)))
    run(monkeypatch, ROOT / "tools" / "bench_identity.py", str(store))
    printed = capsys.readouterr().out
    assert printed.count("| identity |") == printed.count("| dlib |") == 2
    assert "20 people, 80 frames" in printed


@pytest.mark.slow
def test_landmark_vertices(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three sitters name vertices that are, by the median, a few millimetres from the table's."""
    from headmime.sitters.body import load_body
    from headmime.sitters.points import LANDMARK_VERTICES

    tool = runpy.run_path(str(MAKERS / "landmark_vertices.py"))
    monkeypatch.setitem(tool["main"].__globals__, "SITTERS", 3)
    tool["main"](None)
    printed = capsys.readouterr().out
    found = np.array([int(word) for word in printed.rpartition("[")[2].strip("] \n").split(",")])
    body = load_body()
    away = body.vertices[body.vertex(found)] - body.vertices[body.vertex(LANDMARK_VERTICES)]
    assert np.median(np.linalg.norm(away, axis=-1)) < 0.005
