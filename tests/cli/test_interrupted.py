"""Training that is killed, told to stop, requeued or moved goes on as if nothing had happened."""

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from headmime.assets import weights_path
from headmime.cli import main
from headmime.learning.meta import MetaLearning

PATIENCE = 600.0
"""Seconds after which a run that should have ended is ended."""
LONG = ["trainer.max_epochs=12", "save_every=4", "validation.every=10"]
"""12 epochs of 3 batches: a state is kept in mid-epoch, mostly."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the processes that `is_launched` tells: sums of several threads round differently."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def words(store: Path, tiny_run: list[str]) -> list[str]:
    return ["train", "-cn", "cpu_meta", *tiny_run, f"store={store}"]


@contextmanager
def started(words: list[str], *module: str) -> Iterator[subprocess.Popen]:
    """A run in a process of its own, which does not outlive the test."""
    command = [sys.executable, *(module or ("-m", "headmime.cli")), *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(happened: Callable[[], Any], process: subprocess.Popen) -> Any:
    """What ``happened`` returns, once that is true; the process must not end before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := happened():
            return value
        assert process.poll() is None, "it ended too early"
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def state(run: Path) -> dict[str, Any]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


def differences(one: Any, other: Any, name: str = "") -> list[str]:
    """The names of what differs between two checkpoints, whatever it is."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [name]
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return [f"{name}: {one.keys() ^ other.keys()}"]
        return [d for key in one for d in differences(one[key], other[key], f"{name}/{key}")]
    if isinstance(one, list):
        pairs = zip(one, other, strict=True)
        return [d for k, (a, b) in enumerate(pairs) for d in differences(a, b, f"{name}/{k}")]
    return [] if one == other else [f"{name}: {one} {other}"]


def test_told_to_stop_in_mid_epoch_and_resumed_with_other_workers(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that the checkpoint holds is bit-identical to an uninterrupted run's. The loader's
    processes are told as well, as torchrun and SLURM tell all processes of a run.
    """
    words = [*words, "ema.half_life=20", "trainer.max_epochs=3", "log_every=2", "ckpt=auto"]
    whole, stopped = (f"hydra.run.dir={tmp_path / name}" for name in ("whole", "stopped"))
    assert main([*words, whole]) == 0

    step, batches = MetaLearning.training_step, iter(range(100))

    def told_in_the_fifth(module: MetaLearning, *args: Any) -> Any:
        if next(batches) == 4:
            (loader,) = multiprocessing.active_children()
            for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
                os.kill(loader.pid, number)
            os.kill(os.getpid(), signal.SIGTERM)
        return step(module, *args)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(MetaLearning, "training_step", told_in_the_fifth)
        assert main([*words, stopped, "workers=1"]) == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    assert state(tmp_path / "stopped")["EpisodeData"]["episodes"] == 5 * 2

    assert main([*words, stopped, "workers=2"]) == 0
    assert differences(state(tmp_path / "whole"), state(tmp_path / "stopped")) == []


def test_a_job_that_may_be_requeued_must_know_where_to_go_on(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "local")
    assert main(words) == 1
    assert "ckpt=auto" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_and_resumed(words: list[str], tmp_path: Path) -> None:
    whole, killed = (tmp_path / name for name in ("whole", "killed"))
    assert main([*words, *LONG, f"hydra.run.dir={whole}"]) == 0
    resumable = [*words, *LONG, f"hydra.run.dir={killed}", "ckpt=auto"]
    with started(resumable) as process:
        wait_for((killed / "checkpoints" / "last.ckpt").is_file, process)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert 0 < state(killed)["EpisodeData"]["episodes"] < 12 * 6
    assert main([*resumable, "workers=1"]) == 0
    assert differences(state(whole), state(killed)) == []


@pytest.fixture(scope="module")
def two_processes(store: Path, tiny_run: list[str], tmp_path_factory: pytest.TempPathFactory):
    """A run in two processes, which `trainer.devices=2` starts itself."""
    folder = tmp_path_factory.mktemp("two")
    words = ["train", "-cn", "cpu_meta", *tiny_run, f"store={store}", f"hydra.run.dir={folder}"]
    with started([*words, *LONG, "batch=1", "trainer.devices=2"]) as process:
        assert process.wait(PATIENCE) == 0
    return folder


@pytest.mark.slow
def test_two_processes_train_as_one(two_processes: Path, words: list[str], tmp_path: Path) -> None:
    """As far as float32 goes: sums in another order differ, and training makes more of it."""
    assert main([*words, *LONG, f"hydra.run.dir={tmp_path}"]) == 0
    two, one = state(two_processes), state(tmp_path)
    assert two["EpisodeData"] == one["EpisodeData"]
    assert torch.equal(
        two["state_dict"]["video_embeddings.touched"], one["state_dict"]["video_embeddings.touched"]
    )
    W, other = two["state_dict"]["video_embeddings.W"], one["state_dict"]["video_embeddings.W"]
    torch.testing.assert_close(W, other, rtol=0.02, atol=0.02)
    assert (two_processes / "weights" / "nets.safetensors").is_file()
    (curves,) = (two_processes / "logs").glob("*/metrics.csv")
    validated = [row["step"] for row in csv.DictReader(curves.open()) if row["val/cnt"]]
    assert validated == ["20", "40", "60", "72"]
    assert (two_processes / "weights" / "best.safetensors").is_file()


@pytest.mark.slow
def test_what_all_processes_complain_of_is_said_once(
    words: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other_shape = f"init={weights_path('bundled')}"
    with started([*words, "trainer.devices=2", other_shape, f"hydra.run.dir={tmp_path}"]) as run:
        assert run.wait(PATIENCE) == 1
    said = capfd.readouterr().err
    assert said.count("nothing can be inherited") == 1
    assert "Traceback" not in said


@pytest.mark.slow
def test_torchrun_told_to_stop_and_resumed(
    two_processes: Path, words: list[str], tmp_path: Path
) -> None:
    """It tells all processes of its processes' groups: the loaders' too."""
    words = [*words, *LONG, "batch=1", "workers=1", "ckpt=auto", f"hydra.run.dir={tmp_path}"]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    torchrun += ["-m", "headmime.cli"]
    with started(words, *torchrun) as process:
        wait_for((tmp_path / "checkpoints" / "last.ckpt").is_file, process)
        process.terminate()
        assert process.wait(PATIENCE) != 0
    assert 0 < state(tmp_path)["EpisodeData"]["episodes"] < 12 * 6
    with started(words, *torchrun) as process:
        assert process.wait(PATIENCE) == 0
    assert differences(state(two_processes), state(tmp_path)) == []


@pytest.mark.slow
def test_from_one_process_to_two_and_back(words: list[str], tmp_path: Path) -> None:
    words = [*words, "ckpt=auto", f"hydra.run.dir={tmp_path}"]
    assert main([*words, "batch=2", "trainer.max_epochs=1"]) == 0
    with started([*words, "batch=1", "trainer.devices=2", "trainer.max_epochs=2"]) as process:
        assert process.wait(PATIENCE) == 0
    assert state(tmp_path)["EpisodeData"]["episodes"] == 2 * 6
    assert main([*words, "batch=1", "trainer.limit_train_batches=6", "trainer.max_epochs=3"]) == 0
    assert state(tmp_path)["EpisodeData"]["episodes"] == 3 * 6


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the job's tasks in /proc")
def test_a_preempted_submitit_job_is_requeued_and_goes_on(
    two_processes: Path, words: list[str], tmp_path: Path
) -> None:
    """Two tasks; the second alone is told, by the signal that SLURM would send."""
    launcher = ["hydra/launcher=submitit_local", f"hydra.sweep.dir={tmp_path}"]
    words = [*words, *LONG, "batch=1", "trainer.devices=2", "ckpt=auto", "-m", "seed=0", *launcher]

    def second_task() -> int | None:
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                is_task = f"submitit.core._submit\0{tmp_path}".encode() in command.read_bytes()
                told = (command.parent / "environ").read_bytes() if is_task else b""
            except OSError:  # it has just ended
                continue
            if b"SUBMITIT_LOCAL_GLOBALID=1" in told:
                return int(command.parent.name)
        return None

    with started(words) as process:
        wait_for((tmp_path / "0" / "checkpoints" / "last.ckpt").is_file, process)
        os.kill(wait_for(second_task, process), signal.SIGUSR2)
        assert process.wait(PATIENCE) == 0
    (log,) = tmp_path.glob(".submitit/*/*_0_log.out")
    assert "Requeued job" in log.read_text()
    assert "Resuming from" in log.read_text()
    assert differences(state(two_processes), state(tmp_path / "0")) == []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds children in /proc")
def test_a_killed_loader_is_one_sentence_and_the_state_is_kept(
    words: list[str], tmp_path: Path
) -> None:
    here = [f"hydra.run.dir={tmp_path / 'run'}", "save_every=4", "validation.every=null"]
    here += ["trainer.max_epochs=100000", "workers=1"]
    command = [sys.executable, "-m", "headmime.cli", *words, *here]
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(last.is_file, process)
            tasks = Path(f"/proc/{process.pid}/task")
            for child in (tasks / str(process.pid) / "children").read_text().split():
                if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)
            said = process.communicate(timeout=PATIENCE)[1]
        finally:
            process.kill()
    assert process.returncode == 1
    assert "headmime: A process that loads data was killed" in said and "workers=" in said
    assert "Traceback" not in said
    torch.load(last, weights_only=True)
