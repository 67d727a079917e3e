"""Rendering that is stopped goes on: the store is the same."""

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headmime.data.shards import shard_path
from headmime.errors import HeadmimeError
from headmime.sitters import write
from headmime.sitters.write import write_sitters

# Six shards of two sitters and two of one: small ones, so that there is much to be interrupted in.
PROGRAM = """
import sys
from headmime.sitters import write
if __name__ == "__main__":
    write.SHARD, write.CROSS_SHARD = 2, 1
    write.write_sitters(12, sys.argv[1], frames=1, size=16, seed=3, workers=2, cross=2, drivers=1)
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    return [sys.executable, str(program)]


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_killed_at_random_moments(command: list[str], tmp_path: Path) -> None:
    begun = time.monotonic()
    subprocess.run([*command, "undisturbed"], cwd=tmp_path, check=True)
    needed = time.monotonic() - begun
    chance, killed = random.Random(1), 0  # the first moment is an early one
    while not (tmp_path / "out").exists() and killed < 4:
        process = subprocess.Popen([*command, "out"], cwd=tmp_path)
        try:
            process.wait(chance.uniform(0.3, 0.9) * needed)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    assert killed, "nothing was killed: the test tested nothing"
    subprocess.run([*command, "out"], cwd=tmp_path, check=not (tmp_path / "out").exists())
    assert content(tmp_path / "out") == content(tmp_path / "undisturbed")


@pytest.mark.slow
def test_what_is_there_is_not_rendered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the first of two shards; the same call goes on, another one is refused."""
    monkeypatch.setattr(write, "SHARD", 1)
    out, done = tmp_path / "out", []

    def stopped(count: int) -> None:
        if count == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sitters(2, out, frames=1, size=16, seed=3, on_sitters=stopped)
    first = shard_path(tmp_path / ".out.partial" / "store", 0)
    age = first.stat().st_mtime_ns
    with pytest.raises(HeadmimeError, match=r"out was begun with seed=3: continue with that"):
        write_sitters(2, out, frames=1, size=16, seed=4)
    write_sitters(2, out, frames=1, size=16, seed=3, on_sitters=done.append)
    assert done[0] == 1 and done[-1] == 2
    assert shard_path(out, 0).stat().st_mtime_ns == age
    assert not (tmp_path / ".out.partial").exists()


@pytest.mark.slow
def test_a_killed_process_is_one_sentence_and_the_same_call_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "SHARD", 1)

    def kill(done: int) -> None:
        for process in multiprocessing.active_children():
            process.kill()

    with pytest.raises(HeadmimeError, match="A process that renders was killed.*workers="):
        write_sitters(3, tmp_path / "out", frames=1, size=16, seed=3, on_sitters=kill)
    write_sitters(3, tmp_path / "out", frames=1, size=16, seed=3)
    assert (tmp_path / "out" / "manifest.json").is_file()
