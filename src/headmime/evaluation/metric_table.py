"""Table of metrics: direction, scoring network, unit, and the tables and plots that show it.

A new metric is a function in `metrics/`, a line in `evaluate.py` that calls it, and a row here.
"""

from dataclasses import dataclass
from typing import Literal

REPORT = ("likeness", "motion", "pixels", "subsets")
"""Tables of the report, in order."""

SUBSETS = ("", "turned", "near")
"""All frames; heads more than 15 degrees from every source frame; the others."""


@dataclass(frozen=True)
class Metric:
    """Properties of a metric; its protocol is the docstring of its function.

    better: 1 higher, -1 lower, 0 closer to 1.0. scorer: key of `Scorers.origin`. shown: a table of
    REPORT, and other places: `quality` plots, fine-tuning `curves` (`panels`: those plotted),
    `ablations`, identity `gap`, comparison with `warp`, `claims`, `protection`.
    """

    better: Literal[-1, 0, 1]
    scorer: str | None
    shown: str
    digits: int = 3
    unit: str = ""
    title: str = ""

    @property
    def arrow(self) -> str:
        """Arrow towards better, appended to names in tables."""
        return {1: " ↑", -1: " ↓", 0: ""}[self.better]

    @property
    def axis(self) -> str:
        """Axis label: title, unit and arrow towards better."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.title}{unit}{self.arrow or ' (aim: 1)'}"


EYES = "inter-ocular distances"
METRICS: dict[str, Metric] = {
    "fid": Metric(-1, "features", "likeness quality claims", 1, title="FID"),
    "kid": Metric(-1, "features", "likeness", 4),
    "ssim": Metric(1, None, "likeness quality curves ablations gap warp claims", title="SSIM"),
    "ssim@turned": Metric(1, None, "subsets"),
    "ssim@near": Metric(1, None, "subsets"),
    "lpips": Metric(
        -1, "distance", "likeness quality curves ablations gap warp protection", title="LPIPS"
    ),
    "lpips@turned": Metric(-1, "distance", "subsets warp"),
    "lpips@near": Metric(-1, "distance", "subsets warp"),
    "csim": Metric(1, "identity", "likeness quality curves gap warp claims", title="CSIM"),
    "csim@turned": Metric(1, "identity", "subsets warp"),
    "csim@near": Metric(1, "identity", "subsets warp"),
    "csim_source": Metric(1, "identity", "likeness curves ablations gap"),
    "id_distance": Metric(
        -1,
        "identity",
        "likeness quality curves panels ablations gap protection",
        title="identity distance",
    ),
    "id_rank1": Metric(1, "identity", "likeness quality gap", 2, title="identity at rank 1"),
    "nearer": Metric(1, "identity", "likeness curves ablations gap", 2),
    "akd": Metric(-1, "landmarks", "motion quality curves panels ablations gap", 3, EYES, "AKD"),
    "akd@turned": Metric(-1, "landmarks", "subsets", 3, EYES),
    "akd@near": Metric(-1, "landmarks", "subsets", 3, EYES),
    "apd": Metric(-1, "landmarks", "motion quality", 1, "degrees", "APD"),
    "found": Metric(1, "landmarks", "motion curves", 2),
    "mouth_correlation": Metric(
        1, "landmarks", "motion curves panels ablations protection", 2, title="mouth: correlation"
    ),
    "turn_correlation": Metric(
        1, "landmarks", "motion curves panels ablations protection", 2, title="turn: correlation"
    ),
    "eye_correlation": Metric(1, "landmarks", "motion ablations", 2),
    "mouth_amplitude": Metric(
        0, "landmarks", "motion curves panels ablations", 2, title="mouth: amplitude"
    ),
    "turn_amplitude": Metric(
        0, "landmarks", "motion curves panels ablations", 2, title="turn: amplitude"
    ),
    "eye_amplitude": Metric(0, "landmarks", "motion ablations", 2),
    "face_sharpness": Metric(0, None, "pixels ablations protection", 2),
    "sharpness": Metric(0, None, "pixels quality curves panels ablations", 2, title="sharpness"),
    "colour_drift": Metric(-1, None, "pixels ablations", 1, "CIELAB"),
    "flicker_face": Metric(-1, None, "pixels", 2, "of 255"),
    "flicker_background": Metric(-1, None, "pixels", 2, "of 255"),
}
"""In report order. docs/reference/metrics.md describes each protocol."""


def select_metrics(where: str) -> list[str]:
    """Return the metrics shown in a table or plot, those of frame subsets last."""
    names = [name for name, one in METRICS.items() if where in one.shown.split()]
    return sorted(names, key=lambda name: SUBSETS.index(name.partition("@")[2]))
