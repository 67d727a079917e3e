"""The plot of the claims shows each relation's value and interval."""

import numpy as np
import pytest

from headmime.evaluation.statistics import BootstrapSample
from headmime.studies.claims.plot import claims_figure
from headmime.studies.claims.verdict import Finding, Relation


def relation(metric: str, value: float) -> Relation:
    return Relation(
        f"{metric}: this over that", metric, BootstrapSample(value, value + np.linspace(-1, 1))
    )


def test_lines_span_the_intervals_and_claims_are_named() -> None:
    found = [
        Finding("C1", "holds", [relation("ssim", 2.0), relation("fid", 0.5)]),
        Finding("C6", "out: needs a Pix2pixHD", []),
    ]
    figure = claims_figure(found, "3 identities")
    panels = {panel.get_xlabel().split(",")[0]: panel for panel in figure.axes}
    panel = panels["difference in SSIM"]
    (label,) = panel.get_yticklabels()
    assert label.get_text() == "C1  this over that"
    bar, point, _ = panel.lines
    assert bar.get_xdata() == pytest.approx([1.05, 2.95])
    assert point.get_markerfacecolor() == "black"  # decided
    assert panels["difference in FID"].lines[1].get_markerfacecolor() == "white"
    assert "C1 holds, C6 out" in figure.get_suptitle()
    assert len(panels["difference in CSIM"].lines) == 1  # only the line at 0
