"""OpenMP's threads do not spin for long, and worker processes have one thread each."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from headmime.data.preprocess.clips import ClipSettings
from headmime.data.preprocess.layouts import assign_splits, list_sources
from headmime.data.preprocess.run import make_plan, preprocess
from headmime.data.preprocess.workers import run_local
from headmime.sitters import write
from headmime.threads import (
    COUNT_VARIABLES,
    WAIT_POLICY,
    WAIT_VARIABLES,
    available_cores,
    limit_child_threads,
    wait_passively,
)

CORES = 2


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (*WAIT_VARIABLES, *COUNT_VARIABLES):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    return monkeypatch


def waiting() -> dict[str, str]:
    return {name: os.environ[name] for name in WAIT_VARIABLES if name in os.environ}


def test_threads_wait_passively_unless_the_user_says_how(
    environment: pytest.MonkeyPatch,
) -> None:
    wait_passively()
    assert waiting() == WAIT_POLICY
    for name in WAIT_VARIABLES:
        for other in WAIT_VARIABLES:
            environment.delenv(other, raising=False)
        environment.setenv(name, "1")
        wait_passively()
        assert waiting() == {name: "1"}


@pytest.mark.parametrize("program", ["import headmime, torch", "import headmime.cli.train"])
def test_the_library_that_computes_has_read_it(program: str) -> None:
    """GNU's OpenMP says what it goes by when it loads."""
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    if "GOMP_SPINCOUNT" not in told:
        pytest.skip("torch computes with another OpenMP library here")
    assert f"GOMP_SPINCOUNT = '{WAIT_POLICY['GOMP_SPINCOUNT']}'" in told
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in told


def test_make_says_the_same() -> None:
    makefile = (Path(__file__).parents[1] / "Makefile").read_text()
    assert all(f"export {name} := {value}\n" in makefile for name, value in WAIT_POLICY.items())


def test_what_children_are_told_is_forgotten(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OMP_NUM_THREADS", "7")
    with limit_child_threads(1):
        assert [os.environ[name] for name in COUNT_VARIABLES] == ["1", "1", "1"]
    assert {name: os.environ.get(name) for name in COUNT_VARIABLES} == {
        "OMP_NUM_THREADS": "7",
        "OPENBLAS_NUM_THREADS": None,
        "MKL_NUM_THREADS": None,
    }


class threads_at_work:
    """The CPU time of every thread of every child process, as last seen: {process: [ticks]}."""

    def __init__(self) -> None:
        self.ticks: dict[int, dict[int, int]] = {}
        self._over = False
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "threads_at_work":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()

    def _look(self) -> None:
        while not self._over:
            for child in active_children():
                self.ticks.setdefault(child.pid, {}).update(of_threads(child.pid))
            time.sleep(0.02)


def of_threads(process: int) -> Iterator[tuple[int, int]]:
    """(thread, ticks of CPU) of a process."""
    for stat in Path(f"/proc/{process}/task").glob("*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        yield int(stat.parent.name), int(fields[11]) + int(fields[12])


def rendered(folder: Path) -> None:
    write.write_sitters(8, folder / "sitters", frames=2, size=64, workers=CORES)


def preprocessed(folder: Path) -> None:
    videos = folder / "videos"
    listed = assign_splits(list_sources("folder", videos), 0.05, None, 0)
    recipe = ClipSettings(size=64, frames=12)
    finder = {"_target_": "headmime.landmarks.detect_dlib.DlibDetector"}
    run = partial(run_local, workers=CORES)
    preprocess(videos, folder / "store", make_plan(listed, {}), [], recipe, finder, run, ignored)


def ignored(*_: object) -> None:
    pass


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no list of threads here")
@pytest.mark.parametrize("work", [rendered, preprocessed])
def test_a_worker_works_with_one_thread(
    work: Callable[[Path], None],
    tmp_path: Path,
    shared_data: Path,
    environment: pytest.MonkeyPatch,
) -> None:
    """All others together have hardly a tenth of its time: what starting up takes."""
    environment.setattr(write, "SHARD", 4)
    (tmp_path / "videos").mkdir()
    for person, clip in enumerate(sorted((shared_data / "clips").iterdir())[:4]):
        (tmp_path / "videos" / f"{person}").mkdir()
        (tmp_path / "videos" / f"{person}" / clip.name).symlink_to(clip)
    with threads_at_work() as seen:
        work(tmp_path)
    workers = [ticks for ticks in seen.ticks.values() if sum(ticks.values()) > 50]
    assert len(workers) == CORES
    for ticks in workers:
        assert sum(ticks.values()) - max(ticks.values()) <= 0.1 * sum(ticks.values()), ticks


def test_cores_are_counted_where_processes_have_no_affinity(monkeypatch):
    """As on macOS."""
    assert available_cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr("os.sched_getaffinity")
    assert available_cores() == os.cpu_count()
