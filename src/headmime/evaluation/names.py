"""The metrics by name: what better means, what unit, which network they depend on."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """`better`: 1 more, -1 less, 0 neither (1.0 is the aim). `scorer`: as in `Scorers.origin`."""

    better: Literal[-1, 0, 1]
    unit: str
    scorer: str | None
    digits: int = 3


METRICS: dict[str, Metric] = {
    "fid": Metric(-1, "", "features", 1),
    "kid": Metric(-1, "", "features", 4),
    "ssim": Metric(1, "", None),
    "ssim@turned": Metric(1, "", None),
    "ssim@near": Metric(1, "", None),
    "lpips": Metric(-1, "", "distance"),
    "lpips@turned": Metric(-1, "", "distance"),
    "lpips@near": Metric(-1, "", "distance"),
    "csim": Metric(1, "", "identity"),
    "csim@turned": Metric(1, "", "identity"),
    "csim@near": Metric(1, "", "identity"),
    "csim_source": Metric(1, "", "identity"),
    "id_distance": Metric(-1, "", "identity"),
    "id_rank1": Metric(1, "", "identity", 2),
    "nearer": Metric(1, "", "identity", 2),
    "akd": Metric(-1, "inter-ocular distances", "landmarks"),
    "akd@turned": Metric(-1, "inter-ocular distances", "landmarks"),
    "akd@near": Metric(-1, "inter-ocular distances", "landmarks"),
    "apd": Metric(-1, "degrees", "landmarks", 1),
    "found": Metric(1, "", "landmarks", 2),
    "mouth_correlation": Metric(1, "", "landmarks", 2),
    "turn_correlation": Metric(1, "", "landmarks", 2),
    "eye_correlation": Metric(1, "", "landmarks", 2),
    "mouth_amplitude": Metric(0, "", "landmarks", 2),
    "turn_amplitude": Metric(0, "", "landmarks", 2),
    "eye_amplitude": Metric(0, "", "landmarks", 2),
    "face_sharpness": Metric(0, "", None, 2),
    "sharpness": Metric(0, "", None, 2),
    "colour_drift": Metric(-1, "CIELAB", None, 1),
    "flicker_face": Metric(-1, "of 255", None, 2),
    "flicker_background": Metric(-1, "of 255", None, 2),
}
"""In the order in which they are reported. docs/evaluation.md says how each is measured."""
