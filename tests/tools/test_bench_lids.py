"""The tool that follows falling lids through landmarks and model."""

import runpy
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "tools" / "bench_lids.py"


def test_a_model_that_goes_half_of_the_way_moves_by_a_half() -> None:
    moved = runpy.run_path(str(FILE))["moved"]
    true = np.array([[0.0, 1, 0], [2, 1, 0], [4, 1, 0]])
    aside = np.array([[0, 0, 0], [0, 0, 5], [0, 0, 9]])  # what is no part of the true change
    assert moved(true, true) == pytest.approx([0, 0.5, 1])
    assert moved(true / 2 + aside + 7, true) == pytest.approx([0, 0.25, 0.5])


@pytest.mark.slow
def test_exact_lids_meet_and_the_first_picture_is_the_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runpy.run_path(str(FILE))["main"](1)
    rows = capsys.readouterr().out.splitlines()
    values = {row[:18].strip(): [float(word) for word in row[18:].split()] for row in rows}
    assert values["exact"] == sorted(values["exact"], reverse=True)
    assert values["exact"][-1] < 0.3 * values["exact"][0]
    assert values["pixels"][0] == 0
