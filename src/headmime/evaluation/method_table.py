"""The one table of methods and of modes: what a row may be made by, and how it is called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """title: in tables. short: in figures. learned: made by meta-learned networks. driven: by the
    landmarks that are asked for. grey (0 is black), dash, marker: of its line
    in plots against T.
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
"""In the order in which they are reported. `benchmark/methods.py` makes animators of them."""

MODES = {
    "self": "self-reenactment",
    "cross": "cross-reenactment of other people",
    "truth": "cross-reenactment with ground truth",
    "portrait": "single pictures, driven by other people",
}
"""Who drives whom, as headings say it; `trials.py` has the trials of each."""

WITHOUT_TRUTH = ("cross", "portrait")
"""The modes in which no true frames exist."""
