"""The benchmark runs, on networks of 16 pixels, and says what it promises."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

from headmime.nets.shape import ModelShape

FILE = Path(__file__).parents[2] / "tools" / "bench.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_gflop_counts_a_multiply_add_twice(bench: ModuleType) -> None:
    a, b = torch.ones(10, 20), torch.ones(20, 30)
    assert bench.gflop(lambda: a @ b) == pytest.approx(2 * 10 * 20 * 30 / 1e9)


@pytest.mark.slow
def test_the_table_and_its_numbers(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "VIDEOS", {"1k": 1_000, "145k": 1_450, "1m": 10_000})
    monkeypatch.setattr(bench, "PEAK_SIZES", ((1, 64, 16),))
    for native, names in ((True, ["bf16-mixed", "32-true"]), (False, ["32-true"])):
        monkeypatch.setattr(bench, "computes_in_bfloat16", lambda device, native=native: native)
        found = bench.measured(ModelShape(32, 4, 8, 2, 1, 8, 8), repeats=1)
        assert {"memory_gib", "small_fps", "w_step_ratio_1m_to_1k"} <= found.keys()
        assert list(found["precisions"]) == names
        for one in found["precisions"].values():
            assert {"step_cpu_s", "step_gflop", "peak_share"} <= one.keys()
            assert one["generator_frame_s"].keys() == {"training", "inference"}
        printed = bench.table(found)
        assert f"| | {' | '.join(names)} |" in printed and "frames/s" in printed
