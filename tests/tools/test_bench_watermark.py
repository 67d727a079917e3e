"""The watermark's benchmark: its treatments do what they say, its bound is right, and it runs."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "tools" / "bench_watermark.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_watermark", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


def shown(count: int, fps: float) -> list[tuple[np.ndarray, float]]:
    return [(np.full((64, 64, 3), number, np.uint8), number / fps) for number in range(count)]


def test_the_bound_of_all_found_is_known_by_hand(bench: ModuleType) -> None:
    """If all of n are found, the bound p has p^n = 0.05."""
    assert bench.lowest(300, 300) ** 300 == pytest.approx(0.05)
    assert bench.lowest(0, 10) == 0
    assert bench.lowest(297, 300) < 0.99 < bench.lowest(300, 300) + 1e-4


def test_another_frame_rate_shows_what_was_there_at_that_time(bench: ModuleType) -> None:
    fewer = bench.at_rate(shown(50, 25), 12)
    assert [int(frame[0, 0, 0]) for frame, _ in fewer[:5]] == [0, 2, 4, 6, 8]
    more = bench.at_rate(shown(50, 25), 30)
    assert [int(frame[0, 0, 0]) for frame, _ in more[:8]] == [0, 0, 1, 2, 3, 4, 5, 5]
    assert len(more) > 50 > len(fewer)


def test_a_crop_leaves_nine_tenths_of_both_sides(bench: ModuleType) -> None:
    left = bench.cropped(shown(2, 25), np.random.default_rng(0))
    assert {frame.shape for frame, _ in left} == {(58, 58, 3)}


@pytest.mark.slow
def test_one_segment_meets_every_treatment(
    bench: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.json"
    words = ["--segments", "1", "--others", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["bench_watermark.py", *words])
    bench.main()
    assert capsys.readouterr().out.count("| 1 of 1 |") >= 10
    found = json.loads(out.read_text())
    assert found["found"].keys() == bench.ATTACKS.keys()
    assert found["found"][bench.GOAL] == {"made": [1, 1]}
    assert found["psnr"]["made"] > 39


@pytest.mark.slow
def test_random_keys_find_nothing_and_half_of_them_agree_in_a_bit(bench: ModuleType) -> None:
    found = bench.random_keys(bench.made(256), 2000, clips=2)
    assert found["tried"] == 2000 and found["payloads"] == 0
    assert found["agree"][0] == 2000
    assert abs(found["agree"][1] - 1000) < 5 * np.sqrt(500)
