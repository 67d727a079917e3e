"""The tool that times fine-tuning, on networks of 16 pixels."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from headmime.animate.person import finetune_settings
from headmime.nets import build_nets
from headmime.nets.checkpoint import save_nets
from headmime.nets.shape import ModelShape

FILE = Path(__file__).parents[2] / "tools" / "bench_finetuning.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_finetuning", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_line_for_each_t_with_the_updates_that_were_made(
    tool: ModuleType, tiny: ModelShape, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_nets(tmp_path / "tiny", build_nets(tiny), tiny, {"detector": "dlib", "origin": {}})
    keys = ["epochs=1", "batch=4", "minimum_steps=1", "rehearsal=0"]
    threads = torch.get_num_threads()
    try:
        tool.main(["--threads", "1", "--weights", str(tmp_path / "tiny"), *keys])
    finally:
        torch.set_num_threads(threads)
    first, _, *lines = capsys.readouterr().out.splitlines()
    assert first == "16x16 pixels, 1 threads"
    assert [line.split()[:2] for line in lines] == [["1", "1"], ["8", "2"]]
    assert all(float(line.split()[3]) > 0 for line in lines)


def test_the_defaults_are_those_of_finetune_default(tool: ModuleType) -> None:
    assert tool.settings_with(["rehearsal=7"]) == replace(finetune_settings("fast"), rehearsal=7)
