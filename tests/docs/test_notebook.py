"""docs/guide/first_steps.ipynb: its cells are run in order, with less to learn and to render."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "guide" / "first_steps.ipynb"
SHORTER = {
    'consent="own")': 'consent="own", finetune="none")',
    '"n=24", "frames=8"': '"n=4", "frames=4"',
    '"log_every=5"': '"log_every=1", "batch=1", "trainer.max_epochs=2"',
}


def test_it_is_small_and_has_no_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert NOTEBOOK.stat().st_size < 300_000
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.slow
def test_its_cells_run(album: Path) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    program = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    for words, fewer in SHORTER.items():
        assert words in program
        program = program.replace(words, fewer)
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=album, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    out = album / "runs" / "notebook"
    assert (out / "talk.mp4").is_file() and (out / "curve.png").is_file()
    (curves,) = out.glob("training/logs/version_0/metrics.csv")
    assert len(list(csv.DictReader(curves.open()))) >= 2
