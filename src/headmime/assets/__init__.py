"""Files that travel inside the package: weights, a picture, driving templates."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent


def weights_path(name: str) -> Path:
    """Return the stem of the checkpoint ``name``: the one in the package for "bundled", else the
    path that the user gave.
    """
    return ASSETS / "weights" / "bundled" if name == "bundled" else Path(name)
