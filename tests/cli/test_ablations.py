"""`headmime train -cn ablations`: one command, a run for each part that is left out."""

import json
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from headmime.cli import main
from headmime.nets import build_nets
from headmime.nets.checkpoint import load_nets


@pytest.fixture
def words(
    store: Path, tiny_run: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    monkeypatch.chdir(tmp_path)
    where = [f"store={store}", f"hydra.sweep.dir={tmp_path / 'runs'}"]
    return ["train", "-cn", "ablations", *tiny_run, *where]


def test_one_command_trains_each(words: list[str], tmp_path: Path) -> None:
    assert main([*words, "ablation=none,no_w", "trainer.max_epochs=1"]) == 0
    states = {}
    for name in ("none", "no_w"):
        folder = tmp_path / "runs" / f"{name}-0"
        states[name] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
        origin = json.loads((folder / "weights" / "nets.json").read_text())["origin"]
        assert origin["config"]["optim"]["lr_video_embeddings"] == (
            None if name == "no_w" else 2e-3
        )
    rows = {
        name: [n for n in s["state_dict"] if "video_embeddings" in n] for name, s in states.items()
    }
    assert rows["none"] and not rows["no_w"]


def test_untrained_is_what_random_weights_are(words: list[str], tmp_path: Path) -> None:
    """So that fine-tuning from it is fine-tuning without meta-learning."""
    assert main([*words, "ablation=untrained"]) == 0
    nets, shape, record = load_nets(tmp_path / "runs" / "untrained-0" / "weights" / "nets")
    assert record["origin"]["episodes"] == 0
    pl.seed_everything(0, verbose=False)
    for net, fresh in zip(nets, build_nets(shape), strict=True):
        for one, other in zip(net.parameters(), fresh.parameters(), strict=True):
            assert torch.equal(one, other.half().float())
