"""Origin of a result: version, commit and time."""

import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def software_origin() -> dict[str, str | None]:
    """Return headmime's version, the commit of the checkout (None when installed from a wheel; with
    ``+changes`` if tracked files differ from it) and the time in UTC.
    """
    commit, checkout = None, Path(__file__).resolve().parents[3]
    if (checkout / ".git").exists():
        command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes"]
        with suppress(OSError, subprocess.CalledProcessError):
            commit = subprocess.check_output(
                command, cwd=checkout, text=True, stderr=subprocess.DEVNULL
            ).strip()
    return {
        "headmime": version("headmime"),
        "commit": commit,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
