"""Metrics against T, with their intervals; lines can be told apart without colour."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from headmime.evaluation.cells import MODES
from headmime.evaluation.figures.scene import NAMES
from headmime.evaluation.memory import digest
from headmime.evaluation.names import METRICS
from headmime.evaluation.report import OF_A_ROW
from headmime.evaluation.results import Result

SHOWN = {
    "fid": "FID",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "csim": "CSIM",
    "id_distance": "identity distance",
    "id_rank1": "identity at rank 1",
    "akd": "AKD",
    "apd": "APD",
    "sharpness": "sharpness, of the source's",
}
"""The metrics that have a panel, and what its axis calls them."""

ARROWS = {1: "↑", -1: "↓", 0: "(aim: 1)"}
COLUMNS = 3
PANEL = 2.9, 2.5  # inches


@dataclass(frozen=True)
class Style:
    """How a method's line looks: grey from 0 (black) to 1, dash, marker."""

    grey: float
    dash: str
    marker: str


STYLES = {
    "ft": Style(0.0, "-", "o"),
    "ff": Style(0.0, "--", "s"),
    "warp": Style(0.35, "-", "^"),
    "nearest": Style(0.35, "--", "v"),
    "copy": Style(0.35, ":", "x"),
    "mean": Style(0.6, "-.", "d"),
    "real": Style(0.6, (0, (5, 1)), "none"),
}
LABELS = {**NAMES, "real": "Real frames"}


def tables(results: Sequence[Result]) -> list[list[Result]]:
    """Results that may stand in one table, and so in one plot."""
    return _grouped(results, OF_A_ROW)


def quality(results: Sequence[Result]) -> Figure:
    """A panel for each metric that any of `results` has; they must be of one table (`tables`)."""
    metrics = [name for name in SHOWN if any(name in one.metrics for one in results)]
    rows = -(-len(metrics) // COLUMNS)
    figure = Figure((PANEL[0] * COLUMNS, PANEL[1] * rows + 0.7), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for panel, name in zip(panels, metrics, strict=False):
        _panel(panel, results, name)
    for panel in panels[len(metrics) :]:
        panel.remove()
    lines = {label: line for panel in panels[: len(metrics)] for line, label in _labelled(panel)}
    order = [label for label in LABELS.values() if label in lines]
    figure.legend(
        [lines[label] for label in order],
        order,
        loc="outside lower center",
        ncols=4,
        frameon=False,
        handlelength=3.2,
    )
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
        file, partial = stem.with_suffix(suffix), stem.with_name(f".{stem.name}{suffix}")
        figure.savefig(partial, dpi=200)
        partial.replace(file)
        files.append(file)
    return files


def _grouped(results: Sequence[Result], apart: Set[str]) -> list[list[Result]]:
    """By all settings but those named in `apart`."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        shared = {key: value for key, value in one.row.items() if key not in apart}
        groups.setdefault(digest(shared), []).append(one)
    return list(groups.values())


def _panel(panel: Axes, results: Sequence[Result], name: str) -> None:
    Ts = sorted({one.row["T"] for one in results})
    for method in STYLES:
        having = [one for one in results if one.row["method"] == method and name in one.metrics]
        for number, line in enumerate(_grouped(having, {"T"})):
            _line(panel, line, name, label=LABELS[method] if number == 0 else "_again")
    panel.set_xscale("log", base=2)
    panel.set_xticks(Ts, [str(T) for T in Ts])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.margins(x=0.12)
    panel.set_xlabel("source frames T")
    unit = f", {METRICS[name].unit}" if METRICS[name].unit else ""
    panel.set_ylabel(f"{SHOWN[name]}{unit} {ARROWS[METRICS[name].better]}", fontsize="small")
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize="small")


def _line(panel: Axes, rows: Sequence[Result], name: str, label: str) -> None:
    method = rows[0].row["method"]
    style = STYLES[method]
    rows = sorted(rows, key=lambda one: one.row["T"])
    value, low, high = (
        np.array([one.metrics[name][end] for one in rows], float)
        for end in ("value", "low", "high")
    )
    # Methods stand a little beside each other, so that no bar hides another.
    aside = 2 ** (0.07 * (list(STYLES).index(method) - len(STYLES) // 2))
    panel.errorbar(
        [one.row["T"] * aside for one in rows],
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


def _labelled(panel: Axes) -> list[tuple[object, str]]:
    return list(zip(*panel.get_legend_handles_labels(), strict=True))
