"""A node without network: what a training imports, locks with hashes, wheels, SLURM's script."""

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
LOCKS = ("cluster.txt", "torch.txt")


def closure(names: Iterable[str]) -> set[str]:
    """These distributions and all that they require here, without extras."""
    found: set[str] = set()
    waiting = [(canonicalize_name(name), "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for text in distribution(name).requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                asked = ("", *needed.extras)
                waiting += [(canonicalize_name(needed.name), one) for one in asked]
    return {name for name, _ in found}


def install(names: Iterable[str], folder: Path) -> None:
    """Links to these distributions' files, so that nothing else can be imported from there."""
    for name in names:
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not top.endswith(".pth"):
                link = folder / top
                if not link.exists():
                    link.symlink_to(distribution(name).locate_file(top))


def test_a_training_imports_what_its_group_brings_and_no_more(
    store: Path, tiny_run: list[str], tmp_path: Path
) -> None:
    """No av, dlib, c2pa, cryptography, scipy, ...: only those distributions can be imported."""
    names = closure(GROUPS["train"])
    assert not names & {"av", "c2pa-python", "dlib-bin", "cryptography", "pi-heif", "torchvision"}
    packages = tmp_path / "packages"
    packages.mkdir()
    install({*names, "headmime"}, packages)  # of headmime itself, its version
    paths = os.pathsep.join(map(str, (ROOT / "src", packages)))
    keys = [f"store={store}", "perceptual=efficientnet", "trainer.max_epochs=1", "workers=1"]
    words = ["-S", "-m", "headmime.cli", "train", *tiny_run, *keys, "trainer.accelerator=cpu"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "runs/train/0/weights/nets.safetensors").is_file()


@pytest.mark.slow
def test_a_node_trains_from_the_wheels_that_make_collects(
    store: Path, tiny_run: list[str], tmp_path: Path
) -> None:
    """Needs a network to collect. Torch, which is 5 GB, is the one that is here."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PYTHON"))}

    def run(*words: str | Path, folder: Path = tmp_path) -> None:
        done = subprocess.run(words, cwd=folder, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"

    wheels, node = tmp_path / "wheels", tmp_path / "node"
    python = f"PYTHON={sys.version_info.major}.{sys.version_info.minor}"
    run("make", "wheelhouse", python, f"OUT={wheels}", "TORCH=no", folder=ROOT)
    run(sys.executable, "-m", "venv", node)
    install_wheels = [node / "bin/pip", "install", "--no-index", "--find-links", wheels]
    run(*install_wheels, "--no-deps", "--require-hashes", "-r", wheels / "requirements.txt")
    (packages,) = node.glob("lib/python*/site-packages")
    install(locked("torch.txt"), packages)
    keys = [f"store={store}", "perceptual=efficientnet", "trainer.max_epochs=1", "workers=1"]
    run(node / "bin/headmime", "train", *tiny_run, *keys, "trainer.accelerator=cpu")
    assert (tmp_path / "runs/train/0/weights/nets.safetensors").is_file()


def locked(*files: str) -> dict[str, str]:
    """Name -> version of every package in these files of requirements/."""
    text = "".join((ROOT / "requirements" / name).read_text() for name in files)
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", text, re.M))


def test_locks_have_the_versions_of_constraints_and_everything_that_these_ask_for() -> None:
    """Otherwise `make lock` is due."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    versions = locked(*LOCKS)
    assert versions == {name: pins[name] for name in versions}
    more = [name for name in GROUPS["cluster"] if isinstance(name, str)]
    assert set(versions) == closure([*GROUPS["train"], *more])


def test_locks_have_a_hash_for_every_package_and_no_address() -> None:
    for name in LOCKS:
        entries = re.split(r"\n(?=[a-z])", (ROOT / "requirements" / name).read_text())[1:]
        assert entries
        for entry in entries:
            assert re.fullmatch(r"\S+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n?", entry), name


def test_what_a_training_imports_is_among_the_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(GROUPS["train"]) <= {Requirement(text).name for text in project["dependencies"]}


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder on a node of SLURM's: its programs write down what they are given."""
    programs = {
        "srun": 'echo "srun $@" >> said; while [ "$1" != python ]; do shift; done; exec "$@"',
        "python": 'echo "python $@" >> said; trap "echo told >> said; exit 1" TERM; touch began\n'
        "for i in {1..600}; do test ! -e done || exit 0; sleep 0.1; done",
        "scontrol": 'echo "scontrol $@" >> said; test "$1" != show || printf "n1\\nn2\\n"',
    }
    bin = tmp_path / ".venv" / "bin"
    bin.mkdir(parents=True)
    for name, text in programs.items():
        (bin / name).write_text(f"#!/bin/bash\n{text}\n")
        (bin / name).chmod(0o755)
    return tmp_path


def submit(node: Path, *words: str, **slurm: str) -> subprocess.Popen:
    """The script as SLURM starts it, once training has begun."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "PYTHON"))}
    job = subprocess.Popen(
        ["bash", ROOT / "experiments/slurm/train.sbatch", *words], cwd=node, env=bare | slurm
    )
    while not (node / "began").exists() and job.poll() is None:
        time.sleep(0.02)
    return job


JOB = {
    "SLURM_JOB_ID": "123456",
    "SLURM_JOB_NODELIST": "n[1-2]",
    "SLURM_JOB_NUM_NODES": "2",
    "SLURM_GPUS_ON_NODE": "4",
    "SLURM_CPUS_PER_TASK": "40",
}


def test_a_job_starts_torchrun_on_every_node_and_goes_on_by_itself(node: Path) -> None:
    job = submit(node, "meta_vox2_ft", "batch=8", **JOB)
    (node / "done").touch()
    assert job.wait() == 0
    _, started, python = (node / "said").read_text().splitlines()
    assert started.startswith("srun --kill-on-bad-exit=1 --cpus-per-task=40 python -m torch.dist")
    assert "--nnodes 2 --nproc-per-node 4 --rdzv-backend c10d --rdzv-id 123456" in python
    assert "--rdzv-endpoint n1:23456" in python
    assert python.endswith("-m headmime.cli train -cn meta_vox2_ft batch=8 ckpt=auto")


@pytest.mark.parametrize("told", [signal.SIGUSR1, signal.SIGTERM])
def test_a_job_whose_time_is_up_keeps_its_state_and_is_requeued(node: Path, told: int) -> None:
    """When it is pre-empted (SIGTERM), SLURM requeues it itself."""
    job = submit(node, "meta_vox2_ft", **JOB)
    job.send_signal(told)
    assert job.wait() == 1
    requeued = ["scontrol requeue 123456"] if told == signal.SIGUSR1 else []
    assert (node / "said").read_text().splitlines()[3:] == ["told", *requeued]


def test_the_script_trains_on_a_machine_without_slurm_too(node: Path) -> None:
    assert submit(node).wait() == 2  # no experiment
    job = submit(node, "cpu_meta")
    (node / "done").touch()
    assert job.wait() == 0
    (python,) = (node / "said").read_text().splitlines()
    assert re.search(r"--nnodes 1 --nproc-per-node \d+ .* --rdzv-endpoint localhost:0 ", python)
