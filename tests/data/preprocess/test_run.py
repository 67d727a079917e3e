"""A run may be stopped anywhere and gone on with; two runs never meet; nothing is lost."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import pytest

from headmime.data.preprocess.clips import ClipSettings, estimate
from headmime.data.preprocess.layouts import Listing, Source, assign_splits, list_sources
from headmime.data.preprocess.run import (
    LEAST_FILES,
    MOST_FILES,
    PreprocessReport,
    make_plan,
    preprocess,
)
from headmime.data.preprocess.shard_tasks import Task, read_note, write_task
from headmime.data.store import Store
from headmime.errors import HeadmimeError


def one_after_another(tasks: Iterable[Task], on_done: Callable[[Task], None]) -> None:
    for task in tasks:
        write_task(task)
        on_done(task)


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def run(
    data_set: Path, squares, clip_settings: ClipSettings, tmp_path: Path
) -> Callable[..., PreprocessReport]:
    """Preprocess the data set, in this process."""

    def start(out: str = "out", runner=one_after_another, on_files=lambda *_: None, **changes):
        listed = assign_splits(list_sources("folder", data_set), 0.5, ["ben"], 0)
        used = ClipSettings(**{**asdict(clip_settings), **changes})
        plan = make_plan(listed, asdict(used))
        keys = {"name": "dlib"}
        return preprocess(
            data_set, tmp_path / out, plan, listed.refused, used, keys, runner, on_files
        )

    return start


def test_a_data_set_becomes_a_store_and_a_report(run: Callable, tmp_path: Path):
    seen = []
    summary = run(on_files=lambda *done: seen.append(done))
    store = Store(tmp_path / "out")
    assert [clip.source for clip in store.clips] == [
        *("anna/1.mp4", "anna/2.mp4", "anna/3.mp4", "ben/1.mp4", "ben/2.mp4"),
        *("cleo/1.mp4", "cleo/2.mp4"),
    ]
    assert store.videos[0] == ("anna", "1.mp4") and store.size == 32
    assert [store.videos[v][0] for v in store.videos_in("test")] == ["ben", "ben"]
    assert {one.file: one.reason for one in summary.refused} == {
        "cleo/empty.mp4": "is empty",
        "notes.txt": "is not named like a video",
    }
    assert (summary.files, summary.looked_at) == (9, 7 * 12)
    assert seen[0] == (0, 8) and seen[-1] == (8, 8)
    report = json.loads((tmp_path / "out" / "quarantine.json").read_text())
    assert report["files"] == 9 and len(report["refused"]) == 2
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["made"]["settings"]["size"] == 32
    assert "quarantine.json" in manifest["files"]
    assert not any(path.name.startswith(".") for path in (tmp_path / "out").rglob("*"))


@pytest.mark.parametrize("stop_after", [0, 1, 3])
def test_a_run_that_was_stopped_is_gone_on_with(run: Callable, tmp_path: Path, stop_after: int):
    run("whole")

    def stop(tasks: Iterable[Task], on_done: Callable) -> None:
        one_after_another(list(tasks)[:stop_after], on_done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(runner=stop)
    (tmp_path / "out" / ".partial-shard-00003.x").mkdir()  # of a process that was killed
    written = []

    def note(tasks: Iterable[Task], on_done: Callable) -> None:
        written.extend(task.number for task in tasks)
        one_after_another([task for task in tasks], on_done)

    run(runner=note)
    assert written == list(range(stop_after, 4))
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_shards_may_be_written_in_any_order(run: Callable, tmp_path: Path):
    run("whole")
    run(runner=lambda tasks, on_done: one_after_another(list(tasks)[::-1], on_done))
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_finished_store_is_left_alone(run: Callable, tmp_path: Path):
    first = run()
    before = content(tmp_path / "out")
    (tmp_path / "out" / ".work").mkdir()  # killed while it tidied up
    again = run(runner=None)
    assert content(tmp_path / "out") == before and not (tmp_path / "out" / ".work").exists()
    assert (again.refused, again.files) == (first.refused, first.files)


def test_other_settings_or_files_are_refused(run: Callable, tmp_path: Path, data_set: Path):
    def stop(tasks: Iterable[Task], on_done: Callable) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(runner=stop)
    with pytest.raises(HeadmimeError, match="out was begun with size=32, quality=80: continue"):
        run(size=64, quality=90)
    shutil.copy(data_set / "ben" / "1.mp4", data_set / "ben" / "3.mp4")
    with pytest.raises(HeadmimeError, match="files of the data set have changed"):
        run()
    (data_set / "ben" / "3.mp4").unlink()
    run()
    with pytest.raises(HeadmimeError, match="was begun with frames=4"):
        run(frames=2)


def test_two_runs_on_one_folder(run: Callable, tmp_path: Path):
    (tmp_path / "out" / ".work").mkdir(parents=True)
    with open(tmp_path / "out" / ".work" / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(HeadmimeError, match="Another process is writing"):
            run()
    run()


def test_folders_that_are_something_else(run: Callable, tmp_path: Path, data_set: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(HeadmimeError, match="is no unfinished store"):
        run()
    with pytest.raises(HeadmimeError, match="lies in root="):
        run("data/store")
    assert os.listdir(tmp_path / "out") == ["thesis.txt"]


def test_nothing_at_all(run: Callable, tmp_path: Path, data_set: Path):
    for film in data_set.rglob("*.mp4"):
        film.write_bytes(b"")
    with pytest.raises(HeadmimeError, match="None of 9 files could be stored"):
        run()
    assert len(json.loads((tmp_path / "out" / "quarantine.json").read_text())["refused"]) == 9


def test_a_file_that_ends_processes_is_left_out(squares, task, data_set: Path, source: Callable):
    """Twice, that is: once may have been something else."""
    sources = [source(f"anna/{n}.mp4", clip=str(n)) for n in (1, 2)]
    work = task(sources)
    for death in range(2):
        work.mark.write_text("1")
        work = work.after_death()
        assert work.deaths == (1,) * (death + 1) and not work.mark.exists()
    write_task(work)
    (refusal,) = read_note(work).refused
    assert (refusal.file, refusal.reason) == ("anna/2.mp4", "ended 2 processes that read it")
    assert work.done and not work.mark.exists()


def test_processes_that_die_before_they_read_anything(task, source: Callable):
    work = task([source("a.mp4")]).after_death().after_death()
    with pytest.raises(HeadmimeError, match="die before they read a file"):
        work.after_death()


def test_a_shard_that_somebody_else_has_written_is_theirs(
    squares, task, data_set: Path, source: Callable
):
    write_task(task([source("anna/1.mp4")]))
    write_task(task([source("anna/2.mp4")]))
    description = json.loads((task([]).out / "shard-00000" / "clips.json").read_text())
    assert [clip["source"] for clip in description["clips"]] == ["anna/1.mp4"]


@pytest.mark.parametrize(("files", "shards"), [(0, 0), (1, 1), (7, 4), (640, 64), (10_000, 79)])
def test_shards_are_few_and_small(files: int, shards: int):
    plan = make_plan(Listing([Source("anna", "v", "c", "f", 1)] * files, []), {})
    assert len(plan.shards) == shards and sum(map(len, plan.shards)) == files
    assert all(len(one) <= MOST_FILES for one in plan.shards)
    assert all(len(one) >= LEAST_FILES for one in plan.shards[:-1])


def test_an_estimate_of_all_files_is_what_they_take(
    run: Callable, squares, clip_settings: ClipSettings, data_set: Path
):
    summary = run()
    sources = list_sources("folder", data_set).sources
    guess = estimate(data_set, sources, clip_settings, squares, 100, lambda *_: None)
    assert (guess.sampled, guess.refused) == (8, 1)
    assert guess.frames * 8 == 28 and guess.looked_at * 8 == summary.looked_at
    assert guess.bytes * 8 == pytest.approx(summary.bytes, rel=0.5)  # small: much is index
    again = estimate(data_set, sources[::-1], clip_settings, squares, 3, lambda *_: None)
    other = estimate(data_set, sources, clip_settings, squares, 3, lambda *_: None)
    assert (again.bytes, again.frames) == (other.bytes, other.frames)
