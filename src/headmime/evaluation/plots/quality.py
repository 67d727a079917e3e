"""Plot metrics against T with intervals; lines are distinguishable without colour."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from headmime.evaluation.method_table import METHODS, MODES
from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.evaluation.results import Result, group_by
from headmime.files import write_atomically

COLUMNS = 3
PANEL = 2.9, 2.5  # inches


def draw_quality(results: Sequence[Result]) -> Figure:
    """Draw a panel for each metric of `results`, which must belong to one table (`group_by`)."""
    shown = select_metrics("quality")
    metrics = [name for name in shown if any(name in one.metrics for one in results)]
    rows = -(-len(metrics) // COLUMNS)
    figure = Figure((PANEL[0] * COLUMNS, PANEL[1] * rows + 0.7), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for panel, name in zip(panels, metrics, strict=False):
        _panel(panel, results, name)
    for panel in panels[len(metrics) :]:
        panel.remove()
    lines = {}
    for panel in panels[: len(metrics)]:
        handles, labels = panel.get_legend_handles_labels()
        lines |= dict(zip(labels, handles, strict=True))
    order = [one.short for one in METHODS.values() if one.short in lines]
    place = {"loc": "outside lower center", "ncols": 4, "frameon": False, "handlelength": 3.2}
    figure.legend([lines[label] for label in order], order, **place)
    row = results[0].row
    figure.suptitle(
        f"{row['dataset']}: {MODES[row['mode']]}, {row['persons']} persons, "
        f"{row['size']}x{row['size']} pixels; bars: 95 % over persons"
        + ("; scored by stand-ins" if results[0].stand_in else ""),
        fontsize="medium",
    )
    return figure


def write_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write `<stem>.png` and `<stem>.pdf`; return them."""
    files = []
    for suffix in (".png", ".pdf"):
        file = stem.with_suffix(suffix)
        with write_atomically(file) as partial:
            figure.savefig(partial, dpi=200)
        files.append(file)
    return files


def _panel(panel: Axes, results: Sequence[Result], name: str) -> None:
    Ts = sorted({one.row["T"] for one in results})
    for method, style in METHODS.items():
        having = [one for one in results if one.row["method"] == method and name in one.metrics]
        for number, line in enumerate(group_by(having, {"T"})):
            _line(panel, line, name, label=style.short if number == 0 else "_again")
    panel.set_xscale("log", base=2)
    panel.set_xticks(Ts, [str(T) for T in Ts])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.margins(x=0.12)
    panel.set_xlabel("source frames T")
    panel.set_ylabel(METRICS[name].axis, fontsize="small")
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize="small")


def _line(panel: Axes, rows: Sequence[Result], name: str, label: str) -> None:
    method = rows[0].row["method"]
    style = METHODS[method]
    rows = sorted(rows, key=lambda one: one.row["T"])
    ends = [[one.metrics[name][end] for one in rows] for end in ("value", "low", "high")]
    value, low, high = np.array(ends, float)
    # Methods are shifted slightly, so that error bars do not overlap.
    offset = 2 ** (0.07 * (list(METHODS).index(method) - len(METHODS) // 2))
    panel.errorbar(
        [one.row["T"] * offset for one in rows],
        value,
        yerr=np.nan_to_num(np.maximum(0, [value - low, high - value])),
        label=label,
        color=str(style.grey),
        linestyle=style.dash,
        marker=style.marker,
        markersize=4.5,
        linewidth=1.3,
        elinewidth=0.8,
        capsize=2,
    )
