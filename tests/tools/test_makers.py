"""The tools that made what the package carries still make it: on few sitters, and elsewhere."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from headmime.data.store import Store
from headmime.pretrained import sitter_identity
from headmime.pretrained.dlib_identity import CENTRE
from headmime.pretrained.weights import sha256
from headmime.sitters.write import write_sitters

TOOLS = Path(__file__).parents[2] / "tools"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty sitters, of whom the last is of the split "test"."""
    out = tmp_path_factory.mktemp("sitters") / "store"
    write_sitters(20, out, frames=4, size=64, seed=2, workers=2)
    return out


def run(monkeypatch: pytest.MonkeyPatch, tool: str, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", [tool, *words])
    runpy.run_path(str(TOOLS / tool), run_name="__main__")


def test_rehearsal_frames(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "rehearsal.npz"
    run(monkeypatch, "rehearsal_frames.py", str(store), str(out))
    with np.load(out) as made:
        assert made["landmarks"].shape == (1, 3, 68, 2) and len(made["ends"]) == 3
        first = made["jpegs"][: made["ends"][0]].tobytes()
    assert simplejpeg.decode_jpeg(first).shape == (64, 64, 3)


def test_identity_centre(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mean of eight pictures is nearer to the constant than to nothing."""
    run(monkeypatch, "identity_centre.py", str(store))
    printed = capsys.readouterr().out
    found = np.array([float(word) for word in printed.strip("[] \n").replace(",", " ").split()])
    assert np.linalg.norm(found - CENTRE) < 0.5 * np.linalg.norm(found)


def test_train_identity_and_verify_identity(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is the kind of file that the package carries; one person has no one to be mistaken
    for, so that the figures are of all twenty.
    """
    words = ("--steps", "2", "--people", "4", "--every", "1")
    run(monkeypatch, "train_identity.py", str(store), str(tmp_path), *words)
    made = json.loads((tmp_path / "identity.json").read_text())
    assert made["sha256"] == sha256(tmp_path / "identity.safetensors")
    assert made["origin"]["people"] == 17 and made["origin"]["settings"]["steps"] == 2
    monkeypatch.setattr(sitter_identity, "FILE", tmp_path / "identity.safetensors")
    monkeypatch.setattr(Store, "videos_in", lambda store, split: np.arange(len(store.videos)))
    run(monkeypatch, "verify_identity.py", str(store))
    printed = capsys.readouterr().out
    assert printed.count("| identity |") == printed.count("| dlib |") == 2
    assert "20 people, 80 frames" in printed


def test_landmark_vertices(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three sitters name vertices that are, by the median, a few millimetres from the table's."""
    from headmime.sitters.body import load_body
    from headmime.sitters.points import LANDMARK_VERTICES

    tool = runpy.run_path(str(TOOLS / "landmark_vertices.py"))
    monkeypatch.setitem(tool["main"].__globals__, "SITTERS", 3)
    tool["main"](None)
    printed = capsys.readouterr().out
    found = np.array([int(word) for word in printed.rpartition("[")[2].strip("] \n").split(",")])
    body = load_body()
    away = body.vertices[body.vertex(found)] - body.vertices[body.vertex(LANDMARK_VERTICES)]
    assert np.median(np.linalg.norm(away, axis=-1)) < 0.005
