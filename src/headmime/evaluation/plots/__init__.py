"""Images of rows for people to look at, and metrics as plots.

sheet.py   images in rows and columns, with words    quality.py   metrics against T
scene.py   what is shown of a trial: a grid of people, videos
worst.py   the worst 5 % of a row by a metric, and what sets these frames apart
"""

from importlib.util import find_spec

from headmime.errors import HeadmimeError


def require_matplotlib() -> None:
    """HeadmimeError where plots cannot be drawn: asked before hours of work."""
    if find_spec("matplotlib") is None:
        raise HeadmimeError("Plots need matplotlib: pip install 'headmime[evaluation]'.")
