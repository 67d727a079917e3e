"""The tiny run is the real path: sitters -> meta-learning -> fine-tuning -> animation, as typed."""

import json
import subprocess
import sys
from pathlib import Path

import av
import pytest

from headmime.assets import ASSETS
from headmime.nets.checkpoint import load_nets, load_personal

MONA_LISA = ASSETS / "images" / "mona_lisa.jpg"


def headmime(folder: Path, *words: str) -> str:
    """Run the command in `folder`; it must succeed. Returns what it printed."""
    command = [sys.executable, "-m", "headmime.cli", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_from_sitters_to_a_moving_mona_lisa(tmp_path: Path) -> None:
    brief = ["trainer.max_time=null", "trainer.max_epochs=1", "trainer.enable_progress_bar=false"]
    tiny = ["model.width=8", "model.max_width=32", "sources=2", "batch=2", "log_every=1"]
    headmime(
        tmp_path,
        *("train", "-cn", "cpu_meta", "store=store", "sitters.n=8", "sitters.frames=6"),
        *(*brief, *tiny),
    )
    run = tmp_path / "runs" / "cpu_meta" / "0"
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert (manifest["videos"], manifest["frames"], manifest["size"]) == (8, 48, 64)
    assert (run / "checkpoints" / "last.ckpt").is_file()
    assert list((run / "grids").glob("*.png"))
    assert list(run.glob("logs/**/metrics.csv"))
    weights = run / "weights" / "nets"
    _, shape, record = load_nets(weights)
    assert (shape.image_size, record["detector"]) == (64, "dlib")

    headmime(
        tmp_path,
        *("finetune", f"source={MONA_LISA}", "out=mona lisa", f"weights={weights}"),
        *("consent=public-domain", "finetune.minimum_steps=2", "finetune.epochs=0", "T=1"),
    )
    _, _, record = load_personal(tmp_path / "mona lisa")
    assert record["consent"] == "public-domain"

    out = headmime(tmp_path, "animate", "person=mona lisa", "driving=talk", "out=talk.mp4")
    assert "talk.mp4" in out
    with av.open(tmp_path / "talk.mp4") as video:
        frames = sum(1 for _ in video.decode(video=0))
    assert frames > 50
    assert {p.name for p in tmp_path.iterdir()} == {
        "store",
        "runs",
        "talk.mp4",
        "mona lisa.safetensors",
        "mona lisa.json",
    }
