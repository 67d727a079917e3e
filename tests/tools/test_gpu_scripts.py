"""The scripts for a GPU that is there for a short time, rehearsed on a CPU with tiny numbers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from headmime.nets.checkpoint import load_nets

ROOT = Path(__file__).parents[2]
NETS = (
    "model.image_size=32 model.width=8 model.max_width=16 model.generator_levels=3 "
    "model.attention_down=8 model.attention_up=16 init=null new_layers_first=0 growing=[] "
    "trainer.precision=32-true validation.every=null"
)
pytestmark = pytest.mark.slow


def run(script: str, out: Path, *words: Path, **environment: str) -> str:
    """The script on the CPU; its summary."""
    settings = {"OUT": str(out), "RUN": f"{out}_run", "PYTHON": sys.executable, "DEVICE": "cpu"}
    settings |= {"BATCH": "2", "WORKERS": "0"} | environment
    path = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    subprocess.run(
        ["bash", ROOT / "tools" / script, *words],
        env=os.environ | settings | path,
        check=False,
        timeout=900,
    )
    return (out / "summary.log").read_text()


def test_the_check_goes_on_whatever_a_step_says(tmp_path: Path) -> None:
    summary = run(
        "gpu_check.sh",
        tmp_path / "out",
        KEYS=NETS,
        SIDE="32",
        UPDATES="10",
        TRAIN_S="300",
        TESTS=str(tmp_path / "no_tests.py"),
        BENCH="--batches 1 --side 32 --seconds 0",
    )
    assert "tests: exit code 4" in summary
    assert "bench: exit code 0" in summary
    assert json.loads((tmp_path / "out" / "bench.json").read_text())["machine"]
    assert "training: exit code 143" in summary and "going_on: exit code 143" in summary
    assert "did not go on" not in summary
    assert (tmp_path / "out" / "metrics.csv").is_file()


def test_the_training_brings_its_weights_back_in_pieces(tmp_path: Path) -> None:
    made = (
        "import sys, pathlib; sys.path.insert(0, 'tools'); import bench_episodes as b; "
        f"b.generated_store(pathlib.Path({str(tmp_path / 'store')!r}), 32)"
    )
    subprocess.run([sys.executable, "-c", made], cwd=ROOT, check=True)
    summary = run(
        "gpu_train.sh",
        tmp_path / "out",
        tmp_path / "store",
        EVERY="2",
        PIECE="50k",
        KEYS=f"{NETS} trainer.max_epochs=1 trainer.limit_train_batches=4",
    )
    assert "training: exit code 0" in summary
    pieces = sorted((tmp_path / "out").glob("run.tar.*"))
    assert len(pieces) > 1 and pieces[0].stat().st_size == 50 * 1024
    whole = tmp_path / "run.tar"
    whole.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    shutil.unpack_archive(whole, tmp_path / "back")
    _, shape, record = load_nets(tmp_path / "back" / "weights" / "nets")
    assert (shape.image_size, record["origin"]["episodes"]) == (32, 8)
    assert (tmp_path / "back" / "record.json").is_file()
    assert len(list((tmp_path / "back" / "grids").iterdir())) == 1
