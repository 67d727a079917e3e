"""Bundled files: weights, an image, driving templates, configuration."""

import json
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
MONA_LISA = ASSETS / "images" / "mona_lisa.jpg"
BUNDLED = ("bundled", "bundled_128")
"""Names of the weights in the package: of 256x256 pixels, and those of version 0.1.0, 128x128."""


def beside_package(name: str) -> Path:
    """Path of a top-level folder: in the installed package (wheel), else in the repository."""
    packaged = ASSETS.parent / name
    return packaged if packaged.is_dir() else ASSETS.parents[2] / name


def conf_folder() -> Path:
    """Folder of the configuration groups."""
    return beside_package("conf")


def weights_path(name: str) -> Path:
    """Return the path stem of checkpoint ``name``; those of `BUNDLED` are in the package."""
    return ASSETS / "weights" / name if name in BUNDLED else Path(name)


def bundled_name(sha256: str | None) -> str | None:
    """Return the name of the bundled weights with that SHA-256, as recorded in outputs."""
    for name in BUNDLED:
        if json.loads(weights_path(name).with_suffix(".json").read_text())["sha256"] == sha256:
            return name
    return None
