"""From a data set to a store: list, plan, write the shards that are missing, finish."""

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headmime.data.preprocess.clips import Recipe
from headmime.data.preprocess.plan import Plan, check_plan, keep_plan
from headmime.data.preprocess.sources import Refusal, listing
from headmime.data.preprocess.work import WORK, Task, read_note
from headmime.data.shards import finish_store
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.files import locked, write_text

QUARANTINE = "quarantine.json"

Runner = Callable[[Iterable[Task], Callable[[Task], None]], None]


@dataclass(frozen=True)
class Summary:
    """files: in all. refused: of them or of their parts. looked_at: frames. bytes: the store's."""

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
    recipe: Recipe,
    detector: dict[str, Any],
    run: Runner,
    on_files: Callable[[int, int], None],
) -> Summary:
    """Write the store of `plan` to `out`, going on where an earlier process was stopped.

    refused: what the listing left out. run: `run_local` or `run_on_ray`. on_files(done, in all) is
    called after each shard.
    """
    if out.resolve().is_relative_to(root.resolve()):
        raise HeadmimeError(f"out={out} lies in root={root}: choose a folder outside of it.")
    if (out / "manifest.json").exists():
        return _finished(out, plan)
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not (out / WORK).exists():
        raise HeadmimeError(
            f"{out} exists and is no unfinished store: remove it or choose another out=."
        )
    (out / WORK).mkdir(parents=True, exist_ok=True)
    with locked(out / WORK / "lock", out):
        keep_plan(plan, out / WORK / "plan.json", out)
        tasks = [
            Task(
                number,
                root.absolute(),
                out.absolute(),
                sources,
                recipe,
                tuple(sorted(detector.items())),
            )
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


def _finish(out: Path, plan: Plan, tasks: list[Task], refused: list[Refusal]) -> Summary:
    """The report, the index, the manifest; the working files go last."""
    notes = [read_note(task) for task in tasks]
    together = [*refused, *(one for note in notes for one in note.refused)]
    together = listing([], together).refused
    files = sum(map(len, plan.shards)) + len(refused)
    looked_at = sum(note.looked_at for note in notes)
    report = {"files": files, "refused": [asdict(one) for one in together]}
    write_text(out / QUARANTINE, json.dumps(report, indent=1) + "\n")
    if not _any_clip(out):
        raise HeadmimeError(
            f"Nothing of {files} files could be stored: {out / QUARANTINE} says why of each."
        )
    made = {"by": "preprocess", **plan.record, "looked_at": looked_at}
    store = finish_store(out, made, [QUARANTINE])
    shutil.rmtree(out / WORK, ignore_errors=True)
    return Summary(store, files, together, looked_at, _size(out))


def _finished(out: Path, plan: Plan) -> Summary:
    """The store that is there already, if it is the one that the plan makes."""
    made = json.loads((out / "manifest.json").read_text()).get("made") or {}
    if made.get("by") != "preprocess":
        raise HeadmimeError(f"{out} is another finished store: choose another out=.")
    check_plan(plan, made, out)
    shutil.rmtree(out / WORK, ignore_errors=True)
    report = json.loads((out / QUARANTINE).read_text())
    refused = [Refusal(**one) for one in report["refused"]]
    return Summary(Store(out), report["files"], refused, made["looked_at"], _size(out))


def _any_clip(out: Path) -> bool:
    return any(
        json.loads(path.read_text())["clips"] for path in sorted(out.glob("shard-*/clips.json"))
    )


def _size(out: Path) -> int:
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
