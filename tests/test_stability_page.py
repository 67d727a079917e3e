"""docs/stability.md: its figures are small and there, its tests exist, its curves are logged."""

import re
from pathlib import Path

from headmime.learning.readings import grid_readings, step_readings
from headmime.learning.settings import IDEAL

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "stability.md").read_text()


def test_the_figures_are_there_and_small() -> None:
    named = set(re.findall(r"\(stability/(\w+)\.png\)", PAGE))
    there = {file.stem for file in (ROOT / "docs" / "stability").glob("*.png")}
    assert named == there
    for name in named:
        assert (ROOT / "docs" / "stability" / f"{name}.png").stat().st_size < 100_000


def test_the_tests_it_names_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert named
    for file, function in named:
        assert f"def {function}(" in (ROOT / file).read_text(), function


def test_the_curves_it_explains_are_those_that_are_measured() -> None:
    documented = step_readings.__doc__ + grid_readings.__doc__
    for name in re.findall(r"`(grid/\w+)`", PAGE):
        assert f"``{name}``" in documented
    assert {*IDEAL, "val/seconds"} == set(re.findall(r"`(val/\w+)`", PAGE))
