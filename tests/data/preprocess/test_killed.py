"""SIGKILL to the run, to its processes, to a machine of its cluster: the store is the same."""

import hashlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from headmime.data.preprocess.clips import ClipSettings
from headmime.data.preprocess.layouts import assign_splits, list_sources
from headmime.data.preprocess.run import Runner, make_plan, preprocess
from headmime.data.preprocess.workers import run_local

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "headmime.cli", "preprocess", "data=folder", "detector=dlib"]
KEYS = ["size=64", "frames=6", "workers=2"]


@pytest.fixture(scope="module")
def paintings(tmp_path_factory: pytest.TempPathFactory, films, mona_lisa: Path) -> Path:
    """Eight films of the painting, tilted to and fro, and two broken files."""
    root = tmp_path_factory.mktemp("paintings")
    image = np.asarray(Image.open(mona_lisa).convert("RGB").resize((180, 240)))
    for n in range(8):
        turns = [
            cv2.warpAffine(image, cv2.getRotationMatrix2D((90, 90), angle, 1), (180, 240))
            for angle in (3 + n / 2) * np.sin(np.linspace(0, 6, 20))
        ]
        films.write(root / f"person {n // 2}" / f"{n}.mp4", turns)
    whole = (root / "person 0" / "0.mp4").read_bytes()
    (root / "person 0" / "half.mp4").write_bytes(whole[: len(whole) // 2])
    (root / "person 9.mp4").touch()
    return root


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, paintings: Path) -> dict[str, str]:
    """What is in the store of a run that nothing happens to, without the words about it."""
    out = tmp_path_factory.mktemp("whole") / "store"
    run(paintings, out, partial(run_local, workers=2))
    return content(out)


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run(root: Path, out: Path, runner: Runner) -> None:
    """As the command, in this process."""
    clip_settings, keys = (
        ClipSettings(size=64, frames=6),
        {"_target_": "headmime.landmarks.detect_dlib.DlibDetector"},
    )
    listed = assign_splits(list_sources("folder", root), 0.05, None, 0)
    plan = make_plan(listed, {"size": 64})
    preprocess(root, out, plan, listed.refused, clip_settings, keys, runner, lambda *_: None)


def test_the_run_is_killed(paintings: Path, tmp_path: Path):
    """By the command line, again and again, at any moment from its start to its end."""
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    words = [*COMMAND, *KEYS, f"root={paintings}"]
    begun = time.monotonic()
    subprocess.run([*words, "out=undisturbed"], cwd=tmp_path, check=True)
    needed = time.monotonic() - begun
    killed = 0
    while not (tmp_path / "out" / "manifest.json").exists() and killed < 4:
        process = subprocess.Popen([*words, "out=out"], cwd=tmp_path, stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.2, 0.9 if killed else 0.5) * needed)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    assert killed, "nothing was killed: the test tested nothing"
    subprocess.run([*words, "out=out"], cwd=tmp_path, check=True)
    assert content(tmp_path / "out") == content(tmp_path / "undisturbed")


def test_killed_while_it_finishes(paintings: Path, tmp_path: Path):
    """The moment that chance would hardly find: all shards are there, the index is not."""
    words = [*COMMAND, *KEYS, f"root={paintings}"]
    subprocess.run([*words, "out=undisturbed"], cwd=tmp_path, check=True)
    process = subprocess.Popen([*words, "out=out"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    while not (tmp_path / "out" / ".work" / "note-00004.json").exists():
        time.sleep(0.001)
    while process.poll() is None and not (tmp_path / "out" / "quarantine.json").exists():
        time.sleep(0.0002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run([*words, "out=out"], cwd=tmp_path, check=True)
    assert content(tmp_path / "out") == content(tmp_path / "undisturbed")


def test_two_runs_at_once(paintings: Path, tmp_path: Path):
    """One of them does it, the other refuses with a sentence."""
    words = [*COMMAND, *KEYS, f"root={paintings}", "out=out"]
    both = [
        subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 1], [0, 0]), said  # the second may have come when all was done
    if codes == [0, 1]:
        assert "Another process is writing out" in "".join(said)


def test_processes_are_killed(paintings: Path, tmp_path: Path, whole: dict[str, str]):
    """Each of two once: their shards are done again, nothing is left out."""
    with killing(lambda: len(list((tmp_path / "out" / ".work").glob("at-*"))) >= 2, times=1):
        run(paintings, tmp_path / "out", partial(run_local, workers=2))
    assert content(tmp_path / "out") == whole


def test_a_file_that_kills_is_quarantined(paintings: Path, tmp_path: Path, whole: dict[str, str]):
    """Whoever works at the first file of shard 2 dies."""
    mark = tmp_path / "out" / ".work" / "at-00002"
    with killing(lambda: mark.exists() and mark.read_text() == "0", times=2):
        run(paintings, tmp_path / "out", partial(run_local, workers=1))
    report = json.loads((tmp_path / "out" / "quarantine.json").read_text())
    reasons = {one["file"]: one["reason"] for one in report["refused"]}
    assert list(reasons.values()).count("ended 2 processes that read it") == 1
    assert len(reasons) == 3
    same = {name for name, digest in content(tmp_path / "out").items() if whole[name] == digest}
    assert {f"shard-0000{n}/frames.bin" for n in (0, 1, 3)} <= same


class killing:
    """Kill all child processes whenever `moment()` is true, `times` times."""

    def __init__(self, moment, times: int) -> None:
        self.moment, self.times, self.over = moment, times, False
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_) -> None:
        self.over = True
        self.thread.join()
        assert self.times == 0, "nothing was killed: the test tested nothing"

    def _watch(self) -> None:
        while self.times and not self.over:
            try:
                now = self.moment()
            except OSError:
                now = False
            if now:
                children = multiprocessing.active_children()
                for child in children:
                    child.kill()
                for child in children:
                    child.join()
                self.times -= 1
                time.sleep(0.5)
            time.sleep(0.001)


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A Ray cluster of two machines, as far as Ray can tell, with one core each."""
    pytest.importorskip("ray", reason="the extra cluster is not installed")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else a busy machine starves them
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 80 * 2**20}
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **memory}
    )
    nodes = [cluster.add_node(num_cpus=1, **memory) for _ in range(2)]
    yield cluster, nodes
    cluster.shutdown()


def test_a_machine_of_the_cluster_is_killed(
    two_nodes, paintings: Path, tmp_path: Path, whole: dict[str, str]
):
    """One of two, as soon as both are at work."""
    from headmime.data.preprocess.workers import run_on_ray

    cluster, nodes = two_nodes
    out, killed = tmp_path / "out", []

    def kill_one() -> None:
        while len(list(out.glob(".work/at-*"))) < 2:
            time.sleep(0.005)
        cluster.remove_node(nodes[0], allow_graceful=False)
        killed.append(len(list(out.glob("shard-*"))))

    thread = threading.Thread(target=kill_one)
    thread.start()
    run(paintings, out, partial(run_on_ray, address=cluster.address))
    thread.join()
    assert killed[0] < 5, "all was done before: the test tested nothing"
    assert content(out) == whole
