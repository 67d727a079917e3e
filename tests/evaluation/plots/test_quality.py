"""Plots show the numbers of the results, and can be read without colour."""

from pathlib import Path

import pytest
from PIL import Image

from headmime.evaluation.method_table import METHODS
from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.evaluation.plots.quality import draw_quality, write_figure
from headmime.evaluation.results import OF_A_ROW, Result, group_by

SHOWN = select_metrics("quality")


def result(method: str, T: int, seed: int = 0, store: str = "s", **metrics: float) -> Result:
    row = {
        "dataset": "sitters", "mode": "self", "persons": 3, "size": 64, "store": store,
        "code": "c", "method": method, "T": T, "seed": seed,
    }  # fmt: skip
    numbers = {
        name: {"value": value, "low": value - 0.1, "high": value + 0.2, "n": 9, "identities": 3}
        for name, value in metrics.items()
    }
    return Result(row, numbers, {}, {}, stand_in=True, left_out=0, origin={})


def test_a_line_goes_through_the_values_and_bars_span_the_intervals() -> None:
    rows = [result("ft", T, ssim=value) for T, value in ((8, 0.6), (1, 0.5), (32, 0.7))]
    (panel,) = draw_quality(rows).axes
    ((line, _, (bars,)),) = panel.containers
    assert line.get_ydata().tolist() == [0.5, 0.6, 0.7]
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert ends == [pytest.approx([value - 0.1, value + 0.2]) for value in (0.5, 0.6, 0.7)]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["1", "8", "32"]


def test_a_missing_interval_is_no_bar() -> None:
    row = result("ff", 1, ssim=0.5)
    row.metrics["ssim"].update(low=None, high=None)
    (panel,) = draw_quality([row]).axes
    ((_, _, (bars,)),) = panel.containers
    assert bars.get_segments()[0][:, 1].tolist() == [0.5, 0.5]


def test_axes_have_names_units_and_directions() -> None:
    rows = [result(method, T, **dict.fromkeys(SHOWN, 0.5)) for method in METHODS for T in (1, 8)]
    panels = {panel.get_ylabel(): panel for panel in draw_quality(rows).axes}
    assert len(panels) == len(SHOWN)
    assert {panel.get_xlabel() for panel in panels.values()} == {"source frames T"}
    for label, name in zip(panels, SHOWN, strict=True):
        assert label.startswith(METRICS[name].title) and METRICS[name].unit in label
        assert ("↑" in label, "↓" in label) == (
            METRICS[name].better == 1,
            METRICS[name].better == -1,
        )


def test_methods_differ_without_colour() -> None:
    looks = {(style.grey, str(style.dash), style.marker) for style in METHODS.values()}
    assert len(looks) == len(METHODS)
    assert len({(str(style.dash), style.marker) for style in METHODS.values()}) == len(METHODS)
    rows = [result(method, T, ssim=0.5) for method in METHODS for T in (1, 8)]
    for container in draw_quality(rows).axes[0].containers:
        assert float(container[0].get_color()) <= 0.6


def test_seeds_are_lines_of_their_own_under_one_name() -> None:
    rows = [result("ft", T, seed, ssim=0.5 + seed / 10) for seed in (0, 1) for T in (1, 8)]
    figure = draw_quality(rows)
    assert [len(line[0].get_ydata()) for line in figure.axes[0].containers] == [2, 2]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Ours-FT"]


def test_only_rows_of_one_table_share_a_plot() -> None:
    rows = [result("ft", 1), result("ff", 8), result("ft", 1, store="another")]
    assert [len(table) for table in group_by(rows, OF_A_ROW)] == [2, 1]


def test_files_appear_as_pictures_and_for_print(tmp_path: Path) -> None:
    png, pdf = write_figure(
        draw_quality([result("ft", T, ssim=0.5) for T in (1, 8)]), tmp_path / "plot"
    )
    assert Image.open(png).width > 1000 and pdf.read_bytes().startswith(b"%PDF")
    assert sorted(tmp_path.iterdir()) == [pdf, png]
