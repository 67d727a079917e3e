"""SIGKILL at random moments: the run that follows ends as one that nothing happened to.

Each job is run in forks of this process. A round kills one at a random moment, and sometimes the
one that goes on; half of the time with its worker processes, as a machine's end does, half of the
time alone, as the out-of-memory killer does. Then it is run to its end, and what it made is
compared, except for clocks, rates and logs.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file
from samples import make_samples, write_clip

from headmime.assets import MONA_LISA
from headmime.cli import main as headmime

NETS = (
    "model.image_size=16 model.width=4 model.max_width=8 model.generator_levels=2 "
    "model.bottleneck_blocks=1 model.attention_down=8 model.attention_up=8"
)
TRAIN = (
    f"{NETS} sources=2 batch=1 log_every=1 validation.episodes=2 validation.every=4 save_every=2 "
    "trainer.limit_train_batches=3 trainer.max_time=null trainer.precision=32-true sitters=null "
    "trainer.enable_progress_bar=false trainer.max_epochs=6 workers=1 ema.half_life=20"
)
ROWS = (
    "split=train videos=2 held_out=2 sources=2 finetune.minimum_steps=0 finetune.epochs=1 "
    "finetune.rehearsal=0 dataset=random weights=weights/tiny"
)
CLOCKS = {"time", "created", "seconds", "command", "origin", "commit"}  # keys of JSON files
PATIENCE = 60.0  # seconds until workers whose parent was killed have left their lock


@dataclass(frozen=True)
class Job:
    """`words`: of the command, run in a folder with the samples; `out`: what it makes."""

    words: str
    out: str


JOBS = {
    "sitters": Job("data sitters n=40 frames=1 size=16 workers=2 out=out", "out"),
    "preprocess": Job(
        "preprocess data=folder detector=dlib root=films size=32 frames=4 workers=2 out=out", "out"
    ),
    "train": Job(f"train -cn cpu_meta {TRAIN} store=store hydra.run.dir=out ckpt=auto", "out"),
    "table": Job(
        f"table -cn eval_store {ROWS} store=store table.methods=[copy,ff,ft] table.Ts=[1] "
        "results=out memory=memory",
        "out",
    ),
    "finetune": Job(
        "finetune source=images/a.jpg source=images/a.png weights=weights/tiny consent=own "
        "detector=dlib finetune.epochs=0 finetune.minimum_steps=30 out=out/me",
        "out",
    ),
}


def run(count: int, seed: int, only: str | None = None) -> int:
    """`count` kills of each job; the number of failures."""
    failures = 0
    with tempfile.TemporaryDirectory(prefix="headmime-kills-") as folder:
        samples = Path(folder) / "samples"
        os.environ["XDG_CONFIG_HOME"] = str(Path(folder) / "configuration")
        wait(start(samples.parent, lambda: prepare(samples)))
        for name, job in JOBS.items():
            if only in (None, name):
                chance = random.Random(f"{seed}/{name}")
                failures += _run_job(name, job, samples, Path(folder), count, chance)
    print(f"{failures} failures")
    return failures


def prepare(samples: Path) -> None:
    make_samples(samples)
    (samples / "films").mkdir()
    painting = Image.open(MONA_LISA).convert("RGB").resize((180, 240))
    for n in range(6):
        turned = [painting.rotate((3 + n) * (k % 3 - 1), fillcolor="grey") for k in range(8)]
        (samples / "films" / f"person {n // 2}").mkdir(exist_ok=True)
        write_clip(samples / "films" / f"person {n // 2}" / f"{n}.mp4", turned, "libx264", None)
    (samples / "films" / "broken.mp4").touch()


def _run_job(
    name: str, job: Job, samples: Path, root: Path, count: int, chance: random.Random
) -> int:
    whole = folder_of(samples, root / f"{name}-whole")
    begun = time.monotonic()
    if code := wait(_start(job, whole)):
        raise SystemExit(f"{name}: the undisturbed run ends with {code}:\n{words_of(whole)}")
    needed = time.monotonic() - begun
    expected = content(whole / job.out)
    killed = failures = rounds = 0
    while killed < count:
        folder = folder_of(samples, root / f"{name}-{rounds}")
        rounds += 1
        moments = []
        for _ in range(chance.choice((1, 1, 2, 3))):
            moment, alone = chance.uniform(0.02, 1.0) * needed, chance.random() < 0.5
            if not _kill(job, folder, moment, alone):
                break
            moments.append(round(moment, 2))
        killed += len(moments)
        wrong = _finish(job, folder) or differences(expected, content(folder / job.out))
        if wrong:
            failures += 1
            print(f"  {name}: killed after {moments} s: {wrong[:5]}")
        else:
            shutil.rmtree(folder)
        if rounds > 10 * count:
            raise SystemExit(f"{name}: it ends before it can be killed")
    print(
        f"{name}: {killed} kills in {rounds} runs of {needed:.1f} s, {failures} differ", flush=True
    )
    return failures


def folder_of(samples: Path, folder: Path) -> Path:
    """A working folder with links to the samples."""
    folder.mkdir()
    for sample in samples.iterdir():
        (folder / sample.name).symlink_to(sample)
    return folder


def _start(job: Job, folder: Path) -> int:
    return start(folder, lambda: headmime(job.words.split()))


def start(folder: Path, work: Callable[[], Any]) -> int:
    """The process's number; it leads a group of its own, and writes to `words` in the folder."""
    sys.stdout.flush(), sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code: Any = 1
    try:
        os.setsid()
        os.chdir(folder)
        words = os.open(folder / "words", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(words, 1), os.dup2(words, 2)
        sys.stdout = sys.stderr = open(words, "w", errors="backslashreplace")  # noqa: SIM115
        code = work() or 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


def wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _kill(job: Job, folder: Path, moment: float, alone: bool) -> bool:
    """Whether it was killed `moment` seconds after its start; False if it had ended."""
    child, end = _start(job, folder), time.monotonic() + moment
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL) if alone else os.killpg(child, signal.SIGKILL)
    wait(child)
    return True


def _finish(job: Job, folder: Path) -> list[str]:
    """Run to the end; what it said if it could not."""
    end = time.monotonic() + PATIENCE
    while code := wait(_start(job, folder)):
        if "exists already" in words_of(folder).splitlines()[-1]:
            return []  # it was killed after its work
        if "Another process" not in words_of(folder).splitlines()[-1] or time.monotonic() > end:
            return [f"exit code {code}", *words_of(folder).splitlines()[-3:]]
        time.sleep(0.2)  # orphaned workers are about to notice
    return []


def words_of(folder: Path) -> str:
    file = folder / "words"
    return file.read_text(errors="replace") if file.exists() else ""


def content(folder: Path) -> dict[str, Any]:
    """What the files of a folder hold, by name, without clocks, rates and logs."""
    return {
        str(path.relative_to(folder)): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".log", ".csv", ".lock") and path.name != ".lock"
        and not path.name.startswith(".partial-")
        and ".hydra" not in path.parts
        and "logs" not in path.parts
    }  # fmt: skip


def _read(path: Path) -> Any:
    if path.suffix == ".ckpt":
        state = torch.load(path, weights_only=True)
        if "loops" in state:  # Lightning counts an epoch that goes on as another one
            state["loops"]["fit_loop"].pop("epoch_progress")
        return state
    if path.suffix == ".safetensors":
        return load_file(path)
    if path.suffix == ".json":
        return _without_clocks(json.loads(path.read_text()))
    return path.read_bytes()


def _without_clocks(content: Any) -> Any:
    if isinstance(content, dict):
        return {k: _without_clocks(v) for k, v in content.items() if k not in CLOCKS}
    if isinstance(content, list):
        return [_without_clocks(one) for one in content]
    return content


def differences(one: Any, other: Any, name: str = "") -> list[str]:
    """The names of what differs."""
    if type(one) is not type(other):
        return [f"{name}: {type(one).__name__} and {type(other).__name__}"]
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [name]
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return [f"{name}: {sorted(map(str, one.keys() ^ other.keys()))}"]
        return [d for key in one for d in differences(one[key], other[key], f"{name}/{key}")]
    if isinstance(one, (list, tuple)) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        return [d for k, (a, b) in enumerate(pairs) for d in differences(a, b, f"{name}/{k}")]
    return [] if one == other or (one != one and other != other) else [name]
