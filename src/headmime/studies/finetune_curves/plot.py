"""Plot scores against fine-tuning updates; lines are distinguishable without colour."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.studies.finetune_curves.table import Point

PANEL = 2.1, 2.0  # inches
STYLES = [
    ("0.0", "-", "o"),
    ("0.0", "--", "s"),
    ("0.0", ":", "^"),
    ("0.45", "-", "v"),
    ("0.45", "--", "d"),
    ("0.45", ":", "x"),
    ("0.7", "-", "P"),
    ("0.7", "--", "*"),
]
"""Grey (0 is black), dash and marker of each setting's line."""


def curves_figure(points: Sequence[Point], mode: str, subtitle: str) -> Figure:
    """Draw the points of one mode: a row of panels for each T, a line for each setting."""
    points = [one for one in points if one.mode == mode]
    Ts = sorted({one.T for one in points})
    settings = list(dict.fromkeys(one.setting for one in points))
    shown = select_metrics("panels")
    shape = len(Ts), len(shown)
    figure = Figure((PANEL[0] * shape[1], PANEL[1] * shape[0] + 0.9), layout="constrained")
    panels = figure.subplots(*shape, squeeze=False)
    for row, T in zip(panels, Ts, strict=True):
        of_T = [one for one in points if one.T == T]
        for panel, name in zip(row, shown, strict=True):
            _panel(panel, of_T, settings, name)
        row[0].set_ylabel(f"T = {T}")
    for panel, name in zip(panels[0], shown, strict=True):
        panel.set_title(METRICS[name].axis, fontsize="small")
    lines, names = panels[0, 0].get_legend_handles_labels()
    place = {"loc": "outside lower center", "ncols": 8, "fontsize": "small"}
    figure.legend(lines, names, **place, frameon=False, handlelength=3)
    figure.suptitle(subtitle, fontsize="medium")
    return figure


def _panel(panel: Axes, points: Sequence[Point], settings: Sequence[str], name: str) -> None:
    steps = sorted({one.step for one in points})
    for number, setting in enumerate(settings):
        grey, dash, marker = STYLES[number % len(STYLES)]
        own = [one for one in points if one.setting == setting and name in one.scores]
        known = {one.step: one.scores[name].value for one in own}
        panel.plot(
            [steps.index(step) for step in sorted(known)],
            [known[step] for step in sorted(known)],
            label=setting,
            color=grey,
            linestyle=dash,
            marker=marker,
            markersize=3.5,
            linewidth=1.1,
        )
    panel.set_xticks(range(len(steps)), [str(step) for step in steps])
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize="x-small")
    panel.set_xlabel("updates", fontsize="x-small")
