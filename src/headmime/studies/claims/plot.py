"""Plot the relations of the claims with intervals; right of 0 supports the paper."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from headmime.evaluation.metric_table import METRICS, select_metrics
from headmime.studies.claims.verdict import Finding

WIDTH = 9.0  # inches
LINE = 0.26


def claims_figure(findings: Sequence[Finding], subtitle: str) -> Figure:
    """Draw a panel for each metric and a line for each relation."""
    every = [(finding.claim, relation) for finding in findings for relation in finding.relations]
    panels = {
        metric: [pair for pair in every if pair[1].metric == metric]
        for metric in select_metrics("claims")
    }
    heights = [len(lines) + 2 for lines in panels.values()]
    figure = Figure((WIDTH, LINE * sum(heights) + 1.2), layout="constrained")
    axes = figure.subplots(len(panels), 1, height_ratios=heights)
    for panel, (metric, lines) in zip(axes, panels.items(), strict=True):
        _panel(panel, metric, lines)
    verdicts = ", ".join(f"{one.claim} {one.verdict.split(':')[0]}" for one in findings)
    figure.suptitle(f"{verdicts}\n{subtitle}", fontsize="small")
    return figure


def _panel(panel: Axes, metric: str, lines: Sequence[tuple]) -> None:
    for place, (_, relation) in enumerate(lines):
        value, (low, high) = relation.difference.value, relation.difference.interval
        decided = low > 0 or high < 0
        panel.plot([low, high], [place, place], color="black", linewidth=1.2, zorder=1)
        panel.plot(value, place, "o", color="black", mfc="black" if decided else "white", zorder=2)
    panel.axvline(0, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
    names = [f"{claim}  {relation.name.removeprefix(f'{metric}: ')}" for claim, relation in lines]
    panel.set_yticks(range(len(lines)), names, fontsize="small")
    panel.set_ylim(len(lines) - 0.3, -0.7)
    panel.set_xlabel(
        f"difference in {METRICS[metric].title}, above 0 supports the paper; bars: 95 %"
    )
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)
