"""Files that travel with the package: weights, a picture, driving templates, configuration."""

import json
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
MONA_LISA = ASSETS / "pictures" / "mona_lisa.jpg"


def beside_package(name: str) -> Path:
    """A top-level folder: inside the installed package (a wheel), else in the repository."""
    packaged = ASSETS.parent / name
    return packaged if packaged.is_dir() else ASSETS.parents[2] / name


def conf_folder() -> Path:
    """The folder of the configuration groups; its defaults are the paper."""
    return beside_package("conf")


def weights_path(name: str) -> Path:
    """Return the stem of the checkpoint ``name``: the one in the package for "bundled", else the
    path that the user gave.
    """
    return ASSETS / "weights" / "bundled" if name == "bundled" else Path(name)


def bundled_sha256() -> str:
    """Return the hash of the bundled weights, by which outputs name them."""
    return json.loads((ASSETS / "weights" / "bundled.json").read_text())["sha256"]
