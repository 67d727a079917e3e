"""Table of methods and modes, with their names and plot styles."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """title: in tables. short: in figures. learned: uses meta-learned networks. driven: output
    depends on the target landmarks. grey (0 is black), dash, marker: line style in plots against T.
    """

    title: str
    short: str
    grey: float
    dash: str | tuple
    marker: str
    learned: bool = False
    driven: bool = True


METHODS = {
    "ff": Method("FF (feed-forward)", "Ours-FF", 0.0, "--", "s", learned=True),
    "ft": Method("FT (fine-tuned)", "Ours-FT", 0.0, "-", "o", learned=True),
    "frames": Method("frames of another system", "Other", 0.2, "-.", "P", driven=False),
    "warp": Method("warp of the nearest frame", "Warp", 0.35, "-", "^"),
    "nearest": Method("nearest frame", "Nearest", 0.35, "--", "v"),
    "copy": Method("first frame", "Copy", 0.35, ":", "x", driven=False),
    "mean": Method("mean frame", "Mean", 0.6, "-.", "d", driven=False),
    "real": Method("real frames (ceiling)", "Real frames", 0.6, (0, (5, 1)), "none", driven=False),
}
"""In report order. `benchmark/methods.py` creates their animators."""

MODES = {
    "self": "self-reenactment",
    "cross": "cross-reenactment of other people",
    "truth": "cross-reenactment with ground truth",
    "portrait": "single images, driven by other people",
}
"""Titles of the modes; `trials.py` defines their trials."""

WITHOUT_TRUTH = ("cross", "portrait")
"""Modes without true frames."""
