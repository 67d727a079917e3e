"""Bundled files: weights, an image, driving templates, configuration."""

import json
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
MONA_LISA = ASSETS / "images" / "mona_lisa.jpg"


def beside_package(name: str) -> Path:
    """Path of a top-level folder: in the installed package (wheel), else in the repository."""
    packaged = ASSETS.parent / name
    return packaged if packaged.is_dir() else ASSETS.parents[2] / name


def conf_folder() -> Path:
    """Folder of the configuration groups."""
    return beside_package("conf")


def weights_path(name: str) -> Path:
    """Return the path stem of checkpoint ``name``; "bundled" is in the package."""
    return ASSETS / "weights" / "bundled" if name == "bundled" else Path(name)


def bundled_sha256() -> str:
    """Return the SHA-256 of the bundled weights, as recorded in outputs."""
    return json.loads((ASSETS / "weights" / "bundled.json").read_text())["sha256"]
