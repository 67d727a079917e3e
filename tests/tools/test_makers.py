"""The tools that made what the package carries still make it: on few sitters, and elsewhere."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from headmime.data.sitters.write import write_sitters
from headmime.pretrained.dlib_identity import CENTRE

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


def test_landmark_vertices(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three sitters name vertices that are, by the median, a few millimetres from the table's."""
    from headmime.data.sitters.body import load_body
    from headmime.data.sitters.points import LANDMARK_VERTICES

    tool = runpy.run_path(str(TOOLS / "landmark_vertices.py"))
    monkeypatch.setitem(tool["main"].__globals__, "SITTERS", 3)
    tool["main"](None)
    printed = capsys.readouterr().out
    found = np.array([int(word) for word in printed.rpartition("[")[2].strip("] \n").split(",")])
    body = load_body()
    away = body.vertices[body.vertex(found)] - body.vertices[body.vertex(LANDMARK_VERTICES)]
    assert np.median(np.linalg.norm(away, axis=-1)) < 0.005
