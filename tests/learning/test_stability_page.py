"""docs/results/stability.md: its figures are small and there, its tests exist.
docs/reference/curves.md: its curves are all that are logged.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor, nn

from headmime.learning.diagnostics import grid_diagnostics
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights
from headmime.learning.validation import compute_validation_terms

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
PAGE = (RESULTS / "stability.md").read_text()
CURVES = (ROOT / "docs" / "reference" / "curves.md").read_text()


def test_the_figures_are_there_and_small() -> None:
    named = set(re.findall(r"\(stability/(\w+)\.png\)", PAGE))
    there = {file.stem for file in (RESULTS / "stability").glob("*.png")}
    assert named and named == there
    for name in named:
        assert (RESULTS / "stability" / f"{name}.png").stat().st_size < 100_000


def test_the_tests_it_names_exist() -> None:
    """All of the table's: a cell names one or more."""
    table = PAGE.split("## Failures that no curve shows")[1].split("|---|---|\n")[1]
    for row in table.split("\n\n")[0].splitlines():
        failure, tests = (cell.strip() for cell in row.strip("|").split("|"))
        for test in tests.split(", "):
            named = re.fullmatch(r"`(tests/[\w/]+\.py)::(\w+)`", test)
            assert named, failure
            assert f"def {named[2]}(" in (ROOT / named[1]).read_text(), failure


def explained() -> set[str]:
    """The curves of the page's table; a name without a group is of the group before it."""
    table = CURVES.split("## The curves")[1].split("\n##")[0]
    names: set[str] = set()
    for cell in re.findall(r"^\| (`[^|]*`[^|]*) \|", table, re.M):
        group = ""
        for name in re.findall(r"`([\w/]+)`", cell):
            group = f"{name.split('/')[0]}/" if "/" in name else group
            names.add(name if "/" in name else group + name)
    total = re.search(r"`(loss/total)` after", table)
    return names | {total[1]}


@pytest.fixture
def measured(
    meta_learning: Callable[..., MetaLearning], batch: dict[str, Tensor], perceptual: nn.Module
) -> set[str]:
    """Whatever an update, the grid and a validation report."""
    module = meta_learning(weights := LossWeights(closeup=1.0))
    step = module.training_step(batch, 0)
    grid = grid_diagnostics(module.nets, batch)
    return {
        *step,
        *grid,
        *compute_validation_terms(module.nets, [batch], perceptual, weights),
        "val/seconds",
    }


def test_the_curves_it_explains_are_all_that_are_measured(measured: set[str]) -> None:
    targets = {name for name in measured if name.startswith("target/")}
    assert targets == {"target/brightness", "target/cast"} and "`target/*`" in CURVES
    assert explained() == measured - targets
