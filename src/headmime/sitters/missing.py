"""Rendering with a progress bar, and of a store that is missing."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headmime.errors import HeadmimeError, check_choice
from headmime.progress import progress

NEEDED = ("n", "frames", "size")
OPTIONAL = ("seed", "workers", "cross", "drivers", "landmark_noise")
log = logging.getLogger(__name__)


def render(n: int, out: str, cross: int = 0, **settings: Any) -> None:
    """`write_sitters` with a progress bar. HeadmimeError where the extra is missing."""
    try:
        from headmime.sitters.write import write_sitters
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"Rendering sitters needs the package {missing.name}: pip install 'headmime[sitters]'."
        ) from missing
    with progress("rendering sitters") as on_step:
        write_sitters(
            n, out, on_sitters=lambda done: on_step(done, n + cross), cross=cross, **settings
        )


def render_missing(store: Path, sitters: Mapping[str, Any] | None) -> None:
    """Render `sitters`, arguments of `write_sitters`, into `store` unless it is there."""
    if not sitters or (store / "manifest.json").is_file():
        return
    if absent := [key for key in NEEDED if key not in sitters]:
        raise HeadmimeError(f"sitters.{absent[0]} is missing: {store} is to be rendered.")
    for key in sitters:
        check_choice("sitters", key, (*NEEDED, *OPTIONAL))
    count = sitters["n"] + sitters.get("cross", 0)
    log.info("%s does not exist: rendering %d sitters.", store, count)
    render(out=str(store), **{"workers": 2, **sitters})
