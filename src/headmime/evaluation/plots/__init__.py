"""Qualitative figures and metric plots.

sheet.py   images in labelled rows and columns       quality.py   metrics against T
scene.py   figures of trials: a grid of people, side-by-side videos
worst.py   the worst 5 % of frames by a metric, and how they differ from the source frames
"""

from importlib.util import find_spec

from headmime.errors import HeadmimeError


def require_matplotlib() -> None:
    """Raise HeadmimeError if matplotlib is missing; call it before long computations."""
    if find_spec("matplotlib") is None:
        raise HeadmimeError("Plots need matplotlib: pip install 'headmime[evaluation]'.")
