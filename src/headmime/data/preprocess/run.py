"""Preprocesses a data set into a store: plan, write the missing shards, finish."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headmime.data.preprocess.clips import ClipSettings
from headmime.data.preprocess.layouts import Listing, Refusal, Source, make_listing
from headmime.data.preprocess.shard_tasks import WORK, Task, read_note
from headmime.data.shards import check_settings, finish_store
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.files import hold_lock, write_text

# Small data sets: enough shards for all cores. Large ones: few enough to keep all of them open.
SHARDS, LEAST_FILES, MOST_FILES = 64, 2, 128

QUARANTINE = "quarantine.json"
Runner = Callable[[Iterable[Task], Callable[[Task], None]], None]


@dataclass(frozen=True)
class Plan:
    """settings: everything besides the files that determines the store's bytes. listing: a hash of
    the files' names and sizes. shards: the sources of each shard.
    """

    settings: dict[str, Any]
    listing: str
    shards: list[tuple[Source, ...]]

    @property
    def record(self) -> dict[str, Any]:
        """The plan's identifying record (JSON values)."""
        return {"settings": self.settings, "listing": self.listing}


def make_plan(listed: Listing, settings: dict[str, Any]) -> Plan:
    """Make a plan, a pure function of listing and settings."""
    sources = listed.sources
    step = min(max(LEAST_FILES, math.ceil(len(sources) / SHARDS)), MOST_FILES)
    shards = [tuple(sources[first : first + step]) for first in range(0, len(sources), step)]
    digest = hashlib.sha256()
    for one in [*sources, *listed.refused]:
        digest.update(json.dumps(asdict(one)).encode())
    # Normalised by a JSON round trip, for comparison with saved records.
    return Plan(json.loads(json.dumps(settings)), digest.hexdigest(), shards)


def check_plan(plan: Plan, record: dict[str, Any], out: Path) -> None:
    """Raise HeadmimeError if `record`, of the unfinished `out`, is that of another plan."""
    check_settings(out, plan.settings, record["settings"])
    if plan.listing != record["listing"]:
        raise HeadmimeError(
            f"The files of the data set have changed since {out} was begun: choose another out=, "
            "or restore them."
        )


@dataclass(frozen=True)
class PreprocessReport:
    """files: total number. refused: files or parts. looked_at: frames. bytes: of the store."""

    store: Store
    files: int
    refused: list[Refusal]
    looked_at: int
    bytes: int


def preprocess(
    root: Path,
    out: Path,
    plan: Plan,
    refused: list[Refusal],
    clip_settings: ClipSettings,
    detector: dict[str, Any],
    run: Runner,
    on_files: Callable[[int, int], None],
) -> PreprocessReport:
    """Write the store of `plan` to `out`, continuing an interrupted run.

    refused: files that the listing refused. run: `run_local` or `run_on_ray`. on_files(done, total)
    is called after each shard.
    """
    if out.resolve().is_relative_to(root.resolve()):
        raise HeadmimeError(f"out={out} lies in root={root}: choose a folder outside of it.")
    if (out / "manifest.json").exists():
        return _existing_store(out, plan)
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / WORK).exists():
        raise HeadmimeError(
            f"{out} exists and is no unfinished store: remove it or choose another out=."
        )
    (out / WORK).mkdir(parents=True, exist_ok=True)
    with hold_lock(out / WORK / "lock", out):
        begun = out / WORK / "plan.json"
        if begun.exists():
            check_plan(plan, json.loads(begun.read_text()), out)
        else:
            write_text(begun, json.dumps(plan.record, indent=1) + "\n")
        where, keys = (root.absolute(), out.absolute()), tuple(sorted(detector.items()))
        tasks = [
            Task(number, *where, sources, clip_settings, keys)
            for number, sources in enumerate(plan.shards)
        ]
        missing = [task for task in tasks if not task.done]
        files = sum(len(task.sources) for task in tasks)
        done = files - sum(len(task.sources) for task in missing)
        on_files(done, files)
        for task in missing:
            task.mark.unlink(missing_ok=True)

        def on_done(task: Task) -> None:
            nonlocal done
            done += len(task.sources)
            on_files(done, files)

        run(missing, on_done)
        return _finish(out, plan, tasks, refused)


def _finish(out: Path, plan: Plan, tasks: list[Task], refused: list[Refusal]) -> PreprocessReport:
    """Write report, index and manifest, then remove the working files."""
    notes = [read_note(task) for task in tasks]
    all_refused = [*refused, *(one for note in notes for one in note.refused)]
    all_refused = make_listing([], all_refused).refused
    files = sum(map(len, plan.shards)) + len(refused)
    looked_at = sum(note.looked_at for note in notes)
    report = {"files": files, "refused": [asdict(one) for one in all_refused]}
    write_text(out / QUARANTINE, json.dumps(report, indent=1) + "\n")
    shards = sorted(out.glob("shard-*/clips.json"))
    if not any(json.loads(path.read_text())["clips"] for path in shards):
        raise HeadmimeError(
            f"None of {files} files could be stored: {out / QUARANTINE} has the reasons."
        )
    made = {"by": "preprocess", **plan.record, "looked_at": looked_at}
    store = finish_store(out, made, [QUARANTINE])
    shutil.rmtree(out / WORK, ignore_errors=True)
    return PreprocessReport(store, files, all_refused, looked_at, _size(out))


def _existing_store(out: Path, plan: Plan) -> PreprocessReport:
    """Report on the existing store; HeadmimeError if it is not that of the plan."""
    made = json.loads((out / "manifest.json").read_text()).get("made") or {}
    if made.get("by") != "preprocess":
        raise HeadmimeError(f"{out} is another finished store: choose another out=.")
    check_plan(plan, made, out)
    shutil.rmtree(out / WORK, ignore_errors=True)
    report = json.loads((out / QUARANTINE).read_text())
    refused = [Refusal(**one) for one in report["refused"]]
    return PreprocessReport(Store(out), report["files"], refused, made["looked_at"], _size(out))


def _size(out: Path) -> int:
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
