"""What is to be done, decided before anything is: which files make which shard."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headmime.data.preprocess.sources import Listing, Source
from headmime.errors import HeadmimeError
from headmime.files import write_text

# Small data sets: shards enough for all cores. Large ones: few enough to keep all of them open.
SHARDS, LEAST_FILES, MOST_FILES = 64, 2, 128


@dataclass(frozen=True)
class Plan:
    """settings: all that the bytes of the store depend on besides the files. listing: a hash of the
    files' names and sizes. shards: their sources, by number.
    """

    settings: dict[str, Any]
    listing: str
    shards: list[tuple[Source, ...]]

    @property
    def record(self) -> dict[str, Any]:
        """What tells this plan from others, for files."""
        return {"settings": self.settings, "listing": self.listing}


def make_plan(listed: Listing, settings: dict[str, Any]) -> Plan:
    """The same listing and settings give the same plan, whatever the machine."""
    sources = listed.sources
    step = min(max(LEAST_FILES, math.ceil(len(sources) / SHARDS)), MOST_FILES)
    shards = [tuple(sources[first : first + step]) for first in range(0, len(sources), step)]
    digest = hashlib.sha256()
    for one in [*sources, *listed.refused]:
        digest.update(json.dumps(asdict(one)).encode())
    # As JSON reads it back.
    return Plan(json.loads(json.dumps(settings)), digest.hexdigest(), shards)


def check_plan(plan: Plan, record: dict[str, Any], out: Path) -> None:
    """HeadmimeError if `out` was begun with another plan, of which this is the record."""
    begun = record["settings"]
    changed = [key for key in plan.settings if plan.settings[key] != begun.get(key)]
    if changed:
        was = ", ".join(f"{key}={begun.get(key)}" for key in changed)
        raise HeadmimeError(
            f"{out} was begun with {was}: go on with that, or choose another out= for other "
            "settings."
        )
    if plan.listing != record["listing"]:
        raise HeadmimeError(
            f"The files of the data set have changed since {out} was begun: choose another out=, "
            "or put them back as they were."
        )


def keep_plan(plan: Plan, path: Path, out: Path) -> None:
    """Write the plan's record, or check it against the one that is there."""
    if path.exists():
        check_plan(plan, json.loads(path.read_text()), out)
    else:
        write_text(path, json.dumps(plan.record, indent=1) + "\n")
