"""The benchmark runs, on networks of 32 pixels, and says what it promises."""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from headmime.animate.person import finetune_settings
from headmime.learning import compilation
from headmime.nets.shape import ModelShape

TOOLS = Path(__file__).parents[2] / "tools"
TINY = ModelShape(32, 4, 8, 2, 1, 8, 8)
ENOUGH = 1e9  # seconds
ABSENT = "av dlib c2pa cryptography pi_heif platformdirs face_recognition_models"


@pytest.fixture(scope="module", autouse=True)
def tools() -> Iterator[None]:
    """The tools find each other, as where one is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        yield


@pytest.fixture(scope="module")
def bench(tools: None) -> ModuleType:
    return importlib.import_module("bench")


@pytest.fixture
def device(tools: None, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """bench_device on a CPU, in little time."""
    clock = importlib.import_module("bench_clock")
    monkeypatch.setattr(clock, "MAX_CALLS", 2)
    monkeypatch.setattr(clock, "MATRICES", {"cpu": (64,)})
    monkeypatch.setattr(clock, "CONVOLUTIONS", {"cpu": ((1, 64, 16),)})
    for vgg in ("headmime.pretrained.vgg", "bench_step"):
        monkeypatch.setattr(importlib.import_module(vgg), "CHANNELS", (4,) * 5)
    module = importlib.import_module("bench_device")
    monkeypatch.setattr(module, "VIDEOS", {"145k": 100})
    monkeypatch.setattr(module, "LOADING_S", 0.1)
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
        found = bench.measure_all(TINY, repeats=1)
        assert {"memory_gib", "small_fps", "w_step_ratio_1m_to_1k"} <= found.keys()
        assert list(found["precisions"]) == names
        for one in found["precisions"].values():
            assert {"step_cpu_s", "step_gflop", "peak_share"} <= one.keys()
            assert one["generator_frame_s"].keys() == {"training", "inference"}
        printed = bench.table(found)
        assert f"| | {' | '.join(names)} |" in printed and "frames/s" in printed


def measured(device: ModuleType, out: Path, budget: float, **changes) -> dict:
    words = {
        "shape": TINY, "models": {"tiny": TINY}, "device": "cpu", "batches": [1, 2],
        "batches_compiled": [], "workers": 1, "budget": budget, "out": out,
    }  # fmt: skip
    return device.measure(**(words | changes))


def test_the_device_s_numbers_follow_from_each_other(
    device: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measured(device, tmp_path / "bench.json", ENOUGH, models={})
    assert found == json.loads((tmp_path / "bench.json").read_text())
    parts = found["parts"]
    assert not [part for part in parts.values() if "failed" in part]
    for batch in (1, 2):
        step = parts[f"step, batch {batch}"]
        assert step["episodes_per_s"] == pytest.approx(batch / step["step_s"])
        assert step["tflop_per_s"] == pytest.approx(step["tflop"] / step["step_s"])
    assert parts["step, batch 2"]["tflop"] > 1.5 * parts["step, batch 1"]["tflop"]
    assert found["machine"]["torch"] == torch.__version__
    said = capsys.readouterr().out
    assert "episodes/s: batch / step" in said and "% of peak" in said
    assert "step, batch 2 waits for loader" in said or "2 does not wait for loader" in said


@pytest.mark.slow
def test_frames_and_fine_tuning_of_every_size(
    device: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        device,
        "finetune_settings",
        lambda name: replace(finetune_settings(name), minimum_steps=9, epochs=0),
    )
    found = measured(device, tmp_path / "bench.json", ENOUGH, batches=[], workers=0)["parts"]
    assert found["frame, tiny (32)"]["video_fps"] > 0
    tuning = found["fine-tuning, tiny (32)"]
    assert tuning["measured_whole"] and tuning["updates"] == 9
    assert set(device.bundled_shapes(256)) == {"small", "medium", "medium_256", "paper"}
    assert list(device.bundled_shapes(64)) == ["small"]


def test_what_is_not_reached_or_fails_is_said(
    device: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    found = measured(device, tmp_path / "bench.json", budget=0)["parts"]
    assert all("not reached in time" in part["failed"] for part in found.values())

    def broken(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(device, "training", broken)
    found = measured(device, tmp_path / "bench.json", ENOUGH, batches=[48], models={}, workers=0)
    assert found["parts"]["step, batch 48"] == {"failed": "OutOfMemoryError: no memory"}
    assert found["parts"]["loader, 0 workers"]["episodes_per_s"] > 0
    assert "step, batch 48: not measured (OutOfMemoryError: no memory)" in capsys.readouterr().out


def test_repeats_end_with_the_budget(device: ModuleType) -> None:
    def work() -> None:
        calls.append(time.perf_counter())

    for until, most in ((0.0, 1), (float("inf"), 2)):
        calls: list[float] = []
        assert 0 <= device.seconds(work, "cpu", until, warm_up=2) < 1
        assert len(calls) == 2 + most


def test_a_gpu_is_timed_by_its_events(device: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the queue's end by the GPU's clock, and the host is never more than two calls ahead."""
    waited: list[float] = []
    clock = iter(range(100))

    class Event:
        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            self.at = next(clock)

        def synchronize(self) -> None:
            waited.append(self.at)

        def elapsed_time(self, later: "Event") -> float:
            return (later.at - self.at) * 250.0  # ms

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    marks = device.Marks("cuda")
    for _ in range(4):
        marks.add()
    assert marks.intervals() == [0.25] * 3 and waited == [0, 1]
    assert device.seconds(lambda: None, "cuda", until=float("inf")) == 0.25


@pytest.mark.slow
def test_the_compiled_step_is_measured_too(
    device: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "BACKEND", "aot_eager")
    found = measured(
        device,
        tmp_path / "bench.json",
        ENOUGH,
        batches=[],
        batches_compiled=[1],
        models={},
        workers=0,
    )
    step = found["parts"]["step, batch 1, compiled"]
    assert step["episodes_per_s"] > 0 and step["tflop"] > 0


@pytest.mark.slow
def test_it_runs_without_what_opens_pictures_and_videos(tmp_path: Path) -> None:
    """As on a machine that only trains."""
    bench, out = str(TOOLS / "bench.py"), str(tmp_path / "bench.json")
    words = [bench, "--side", "32", "--batches", "1", "--seconds", "0", "--out", out]
    code = (
        f"import runpy, sys; sys.modules |= dict.fromkeys({ABSENT.split()}); "
        f"sys.path.insert(0, {str(TOOLS)!r}); sys.argv = {words}; "
        f"runpy.run_path({bench!r}, run_name='__main__')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)
    assert json.loads((tmp_path / "bench.json").read_text())["parts"]["peak"]
