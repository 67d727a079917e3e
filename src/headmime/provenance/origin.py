"""Origin of a result: version, commit and time."""

import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def software_origin() -> dict[str, str | None]:
    """Return headmime's version, the commit of the checkout (None when installed from a wheel) and
    the time in UTC.
    """
    return {
        "headmime": version("headmime"),
        "commit": _commit(Path(__file__).resolve().parents[3]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit(checkout: Path) -> str | None:
    """Return the commit, with ``+changes`` if tracked files differ from it."""
    if not (checkout / ".git").exists():
        return None
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
