"""Every command that README.md and docs/ print is run as printed, with keys appended that make it
short. A new one is run in the first way of HOW that fits it, or fails the first test. NOT_RUN says
which are not, and why.
"""

import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headmime.cli import VERBS, main

ROOT = Path(__file__).parents[2]
FILES_OF_PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
PAGES = {str(page.relative_to(ROOT)): page for page in FILES_OF_PAGES}
OTHERS = "ffmpeg|ssh|apt-get|uv|docker|apptainer|sbatch|wandb|tensorboard|sha1sum|md5sum"
PROGRAMS = rf"make|headmime|python[\d.]*|pytest|torchrun|pip|ray|bash|{OTHERS}"
# A fenced block, an indented line, or words in backticks.
SHOWN = re.compile(r"^```(\w*)\n(.*?)^```$|^    (\S[^\n]*)$|`([^`]+)`", re.M | re.S)


Run = Callable[[list[str]], str]


@dataclass(frozen=True)
class How:
    """How a command is made short: words that stand in the place of others, keys that follow."""

    keys: str = ""
    instead: dict[str, str] = field(default_factory=dict)
    served: bool = False  # until it has answered; then Ctrl-C
    here: bool = False  # in this process, to be quick


TUNE = "finetune.epochs=0 finetune.minimum_steps=1"
UPDATE = f"{TUNE} finetune.rehearsal=0"
BRIEF_ROWS = f"held_out=2 {UPDATE}"
ROWS = f"split=train videos=2 sources=8 {BRIEF_ROWS}"
NETS = (
    "model.image_size=32 model.width=8 model.max_width=16 model.generator_levels=3 "
    "model.attention_down=8 model.attention_up=16"
)
ONE_UPDATE = (
    "sources=2 batch=1 workers=0 log_every=1 trainer.max_epochs=1 trainer.limit_train_batches=1 "
    "trainer.accelerator=cpu growing=[] validation.episodes=2"
)
TRAIN = f"{NETS} perceptual=efficientnet {ONE_UPDATE}"
SMALL = "store=runs/stores/small"
VOX = "detector=dlib workers=1 size=64"
FILES = {"STORE": "runs/stores/small", "STUDY": "runs/userstudy", "FILE": "runs/me.mp4"}


def trainings(verb: str, *more: str) -> str:
    """TRAIN as the keys of the trainings that `verb` starts."""
    keys = [SMALL, "sitters=null", *more, *NETS.split(), *ONE_UPDATE.split()]
    return f'"{verb}.train=[{",".join(f"{key!r}" for key in keys)}]"'


CLAIMS = (
    f"{SMALL} claims.sitters=null size=32 {ROWS} "
    f"claims.Ts=[1,2,3] claims.seeds=[1] {trainings('claims')}"
)
ABLATIONS = f"{BRIEF_ROWS} {trainings('ablations', 'ema.half_life=4')}"
LARGER = trainings("ablations", "init=null", "new_layers_first=0")
# The networks of 32 pixels that the training of clips.md has left behind.
CURVES = "weights=runs/clips_128/0/weights/nets curves.steps=[0,2] held_out=8 sources=8"

HOW = {
    r"make (demo|finetune)": How(TUNE),
    # runs/me is there: a person is not overwritten
    r"headmime finetune .*out=runs/me ": How(TUNE, {"out=runs/me": "out=runs/learned"}),
    r"headmime (animate source=|finetune (?!.*https:))": How(TUNE),
    r"headmime animate person=": How(),
    r"headmime animate pairs=": How("finetune=none"),
    r"headmime animate driving=": How(
        "source=me.jpg consent=own finetune=none out=runs/bundled.mp4"
    ),
    r"headmime animate \.\.\.": How(
        "driving=driver.mp4 consent=own finetune=none out=runs/signed.mp4",
        {"...": "source=me.jpg"},
    ),
    r"headmime verify .": How(instead=FILES),
    r"headmime template .": How(),
    r"headmime export .": How(instead={"person=models/me": "person=runs/me"}),
    r"headmime live .*driving=(\w+\.mp4|CLIP)": How(
        instead={"person=...": "person=runs/me", "driving=CLIP": "driving=driver.mp4"}
    ),
    r"make web$": How("port=0", served=True),
    r"(headmime|make) .*(--help|^help)$|make (help|setup)$": How(),
    r"make test$": How("--collect-only -q"),
    r"pytest .": How("--collect-only -q"),
    r"make train EXP=cpu_meta ARGS=store=": How(f"sitters=null {TRAIN}"),
    r"make train EXP=(cpu_meta|EXPERIMENT)": How(
        "store=runs/stores/four sitters.n=4 sitters.frames=6 batch=2 log_every=1 "
        "trainer.max_epochs=1 trainer.limit_train_batches=1",
        {"EXP=EXPERIMENT": "EXP=cpu_meta", "ARGS=...": "ARGS=seed=16"},
    ),
    r"make train EXP=(?!.*vgg19=)": How(f"{SMALL} sitters=null {TRAIN}"),
    r"headmime train store=": How(TRAIN),
    r"headmime train -cn EXPERIMENT": How(
        f"{SMALL} sitters=null {TRAIN}",
        {"EXPERIMENT": "cpu_meta", "key=value": "seed=7", "...": "ema.half_life=40"},
    ),
    r"headmime train -cn cpu_meta -m .*submitit_local": How(f"{SMALL} sitters=null {TRAIN}"),
    r"headmime train -cn \w+ -m seed=": How(f"{SMALL} {TRAIN}"),
    r"headmime train .*logger=\[?(csv,)?wandb": How(f"{SMALL} sitters=null seed=9 {TRAIN}"),
    r"headmime train .*logger=\[csv,tensorboard": How(f"{SMALL} sitters=null seed=17 {TRAIN}"),
    r"headmime train -cn cpu_meta \+debug=": How(
        f"sitters=null {SMALL} {NETS} trainer.max_epochs=1"
    ),
    # seeds: these are other ways to start one training, whose folder would not be taken twice
    r"headmime train -cn \w+ trainer\.\S+$": How(f"{SMALL} seed=10 {TRAIN}"),
    r"headmime train -cn \w+$": How(f"{SMALL} seed=11 {TRAIN}"),
    r"torchrun .": How(
        f"{SMALL} seed=8 {TRAIN}",
        {"N": "1", "8": "2", "HOST:29500": "localhost:0"},
    ),
    r"headmime preprocess data=folder": How("workers=1"),
    r"headmime preprocess data=listed": How("workers=1", {"root=FOLDER": "root=people"}),
    r"headmime preprocess data=voxceleb2": How(VOX),
    r"headmime preprocess data=(hdtf|celebvhq)": How("workers=1"),
    r"headmime preprocess data=named": How("workers=1 detector=dlib"),
    r"make preprocess .": How(VOX, {"OUT=...": "OUT=runs/stores/again"}),
    r"headmime data (inspect|verify)": How(instead=FILES),
    r"headmime data sitters cross=": How(
        "cross=2 drivers=1 n=1 frames=2 workers=1 out=runs/stores/crossed"
    ),
    r"headmime data sitters n=(1984|4096)": How("n=2 workers=1"),
    r"headmime data sitters": How("n=2 frames=2 workers=1"),
    r"make eval EXP=vox2_table ARGS=method": How(
        f"{SMALL} {ROWS} weights=bundled weights_ff=null perceptual=efficientnet scorers=packaged"
    ),
    r"make eval (?!.*vgg19=).": How(f"{SMALL} {ROWS}"),
    r"make table1 DATA=": How(f"{ROWS} table.methods=[nearest] table.Ts=[1]"),
    r"make table1 .* weights=": How(BRIEF_ROWS),
    r"make table1 .": How(f"{SMALL} {ROWS} table.methods=[copy] table.Ts=[1]"),
    r"make motion$": How(UPDATE),  # correlations want eight frames
    r"make report$|headmime report .": How(),
    r"headmime eval -cn eval_cross_sitters": How(UPDATE, here=True),
    r"headmime eval -cn (?!.*method=frames)": How(BRIEF_ROWS, here=True),
    r"make figures .": How(f"{SMALL} {ROWS} figures.Ts=[1] figures.people=2 figures.videos=1"),
    r"make forensics .": How(f"{SMALL} {ROWS} forensics.folds=2 forensics.steps=2"),
    r"make protection-study": How(
        f"{SMALL} {ROWS} protection.steps=1 protection.methods=[ff] protection.platforms=[none]"
    ),
    r"headmime protect .": How("steps=1"),
    r"make userstudy .": How(
        f"{SMALL} {ROWS} study.triplets=1", {"userstudy": "userstudy PORT=0"}, served=True
    ),
    r"headmime userstudy prepare": How(f"{SMALL} {ROWS} study.triplets=1"),
    r"headmime userstudy serve .": How("port=0", FILES, served=True),
    r"headmime userstudy report .": How(instead=FILES),
    r"make claims$": How(CLAIMS),
    r"make ablations EXP=ablations_128$": How(f"{ABLATIONS} ablations.only=[base]"),
    r"make ablations EXP=ablations_128 ARGS=ablations.minutes=10": How(ABLATIONS),
    r"make ablations EXP=ablations_128 ARGS=\+abl": How(f"{ABLATIONS} ablations.only=[slow]"),
    r"make ablations EXP=ablations_256$": How(
        f"{SMALL} {ROWS} size=32 {LARGER} ablations.only=[base]"
    ),
    r"make curves$": How(f"{CURVES} curves.only=[default] curves.Ts=[1]"),
    r"make curves ARGS=curves.only": How(CURVES),
    r"make curves ARGS=\+curves": How(f"{CURVES} curves.only=[slow] curves.Ts=[1]"),
    r"make results .*HALF=tune": How(f"{BRIEF_ROWS} table.methods=[copy] table.Ts=[1]"),
    r"make results .": How(BRIEF_ROWS),
    r"make bench ARGS=--batches": How("--side 64 --seconds 1"),
    r"make bench( ARGS=--threads|$)": How("--repeats 1 --side 64"),
    r"python tools/bench_waiting.py": How("--repeats 1 --only frames"),
    r"python tools/bench_smoothing.py": How(instead={"3": "1", "60": "9"}),
    r"python tools/bench_live.py": How("--frames 5", {"CLIP": "driver.mp4"}),
    r"python tools/bench_preprocess.py": How(instead={"ROOT": "VoxCeleb2"}),
    r"python tools/bench_finetuning.py": How("epochs=0 minimum_steps=1"),
    r"python tools/bench_episodes.py": How("runs/stores/small 64"),
    r"python tools/bench_marks.py": How("--seconds 1 --repeats 1"),
    r"python tools/bench_sitters.py 96 6": How(instead={"6": "1"}),
    r"python tools/bench_sitters.py": How("1", {"128": "96"}),
    r"python makers/landmark_noise.py": How(instead={"48": "2 runs/noise.npz"}),
    r"python tools/bench_motion_spread.py": How(instead=FILES),
    r"python tools/bench_lids.py": How(instead={"16": "1"}),
    r"python makers/curves.py": How(instead={"runs/EXP/0": "runs/cpu_meta/3", "OUT": "."}),
    r"python makers/stability.py": How(
        f"{SMALL} sitters=null trainer.max_epochs=3 log_every=1", {"CASE": "sigmoid"}
    ),
    r"python makers/motions.py": How(),
}
NOT_RUN = {
    r"headmime live person=runs/m\w+( driving=1 .*)?$": "a camera; tests/live has a made-up one",
    r"headmime claims .*accelerator=gpu": "a GPU; `make claims` is run, and so is claims.train=",
    r"make ablations .*ablations.only=\[base,k[14],": "17 trainings; a test composes each variant",
    r"make ablations EXP=ablations_256 ARGS=": "three trainings; a test composes each variant",
    r"make ablations EXP=ablations_identity": "as ablations_256, which is run, composed by a test",
    r"make curves ARGS=(weights=\S+ )?videos=": "hours; tests compose each setting, and type one",
    r"headmime train .*submitit_slurm": "the last test gives it to an `sbatch` that keeps it",
    r"headmime .*--config-dir mine": "test_pages.py runs it beside the page's files",
    r"headmime eval .*method=frames": "tests/cli/test_evaluate.py does what stands around it",
    r"headmime finetune .*https:": "a server; tests/pretrained/test_fetch.py has one",
    r"make (train|eval) .*vgg19=": "VoxCeleb and networks that we may not ship; one test parses it",
    r"make setup EXTRAS=": "it would change .venv; tests/test_packaging.py reads its dry run",
    r"headmime train \.\.\. hydra.run.dir": "part of a program of the reader's own",
    r"pip download": "a network, and another torch",
    r"make bench ARGS=--device cuda": "a GPU; tests/tools measures the same on a CPU",
    r"bash tools/gpu_": "minutes of a GPU; tests/tools rehearses both on a CPU",
    r"pip install": "`make setup` has installed every extra; one test looks them up",
    r"ray start": "`ray stop` ends everybody's; tests/data/preprocess starts one of its own",
    r"python tools/bench_shut.py": "people whose eyes move; tests/tools has two sitters",
    OTHERS: "other people's programs",
    r"make wheelhouse .": "a network; a test of tests/cli/test_cluster.py collects and trains",
    r"python3.12 -m venv": "another Python; that test makes one of this",
    r"bash experiments/slurm/train.sbatch": "tests/cli/test_cluster.py, with stand-ins for SLURM",
    r"python tools/convert_vgg.py": "Oxford's files; tests/pretrained writes some of that kind",
    r"python tools/bench_watermark.py": "wants real clips; tests/tools runs it without",
    r"python (makers/train|tools/bench)_identity.py": "hours; tests/makers has few sitters",
    r"make check": "this is `make check`",
    r"make campaign .": "hours; tests/tools runs the short form of each",
}


def commands(page: Path) -> list[str]:
    """What a page shows to be typed, in order, each once and without `.venv/bin/`."""
    return list(dict.fromkeys(_commands(page.read_text())))


def _commands(text: str) -> Iterator[str]:
    for language, block, line, inline in SHOWN.findall(text):
        if language not in ("", "bash", "console"):
            continue
        for shown in block.splitlines() or [line or inline]:
            for part in re.sub(r"\s#.*", "", shown).split(" && "):
                command = " ".join(part.split()).removeprefix(".venv/bin/")
                if re.match(rf"({PROGRAMS}) .", command):
                    yield command
                else:
                    assert language == "" or not command, f"what is {command!r}?"


def first(table: dict, command: str):
    """The value of the first pattern that the command begins with, None if there is none."""
    plain = " ".join(shlex.split(command))
    return next((value for pattern, value in table.items() if re.match(pattern, plain)), None)


def is_a_name(command: str) -> bool:
    """Whether this only names a verb or a target, in a sentence."""
    targets = re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.M)
    verbs = {verb.split()[0] for verb in VERBS}
    program, *words = command.split()
    return len(words) == 1 and words[0] in {"make": targets, "headmime": verbs}.get(program, ())


def shortened(command: str, how: How) -> list[str]:
    """Its words, with the keys appended: to ARGS where make runs it."""
    words = []
    for word in shlex.split(command):
        words += how.instead[word].split() if word in how.instead else [word]
    keys = how.keys.split()
    if words[0] != "make":
        return [f".venv/bin/{words[0]}", *words[1:], *keys]
    given = [word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")]
    plain = [word for word in words if not word.startswith("ARGS=")]
    return [*plain, f"ARGS={' '.join([*given, *keys])}"]


def test_what_stands_in_args_stays_in_args() -> None:
    how = How("c=3", {"eval": "eval -n"})
    assert shortened("make eval ARGS='a=1 b=2'", how) == ["make", "eval", "-n", "ARGS=a=1 b=2 c=3"]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_or_is_known_not_to_be(page: str) -> None:
    for command in commands(PAGES[page]):
        run, reason = first(HOW, command), first(NOT_RUN, command)
        assert run or reason or is_a_name(command), f"{page}: how shall {command!r} be run? Say HOW"
        assert not (run and reason), f"{command!r} is run, and is not"


def test_what_needs_the_papers_data_is_parsed() -> None:
    """By make, then by Hydra with the verb's schema, which refuses keys that are not there."""
    shown = [line for line in commands(PAGES["docs/guide/reproduce.md"]) if "vgg19=" in line]
    assert len(shown) == 3
    for command in shown:
        program, *words = shlex.split(command)
        dry = [program, "--dry-run", "--old-file=.venv/.ready", *words]
        line = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        (typed,) = [one for one in line.splitlines() if "/headmime " in one]
        assert main([*shlex.split(typed)[1:], "--cfg", "job"]) == 0


def keys(words: str) -> set[str]:
    """Of `key=value` words and options."""
    named = (word.partition("=") for word in words.split() if "=" in word or word.startswith("--"))
    return {key.strip('+"') for key, _, _ in named}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_command_says_is_not_overridden(page: str) -> None:
    """Nor is where a run is kept. Numbers of things may be smaller."""
    amounts = {"n", "cross", "--repeats", "videos", "held_out"}
    for command in commands(PAGES[page]):
        if how := first(HOW, command):
            said = keys(" ".join(shlex.split(command)).replace("ARGS=", ""))
            assert not said & keys(how.keys) - amounts, command
            assert not any(key.startswith("hydra.") for key in keys(how.keys)), command


def test_no_way_is_left_over() -> None:
    shown = [" ".join(shlex.split(line)) for page in PAGES.values() for line in commands(page)]
    for pattern in [*HOW, *NOT_RUN]:
        assert any(re.match(pattern, line) for line in shown), f"no page shows {pattern}"


def test_extras_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = "".join(page.read_text() for page in PAGES.values())
    named = set(re.findall(r"pip install 'headmime\[(\w+)\]'", text))
    assert named and named <= extras["optional-dependencies"].keys()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_commands_run_as_printed(
    page: str, ran: set[tuple[str, ...]], run: Run, serve: Run, here: Run
) -> None:
    """In order, and README.md first, since some use what others made. All that fail are told."""
    failed = []
    for command in commands(PAGES[page]):
        how = first(HOW, command)
        if how is None:
            continue
        words = shortened(command, how)
        if tuple(words) in ran:
            continue
        ran.add(tuple(words))
        said = (here if how.here else serve if how.served else run)(words)
        failed += [f"{shlex.join(words)}\n{said[-3000:]}"] if said else []
    assert not failed, "\n\n".join(failed)


@pytest.mark.slow
def test_a_job_is_handed_to_slurm(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no SLURM here: an `sbatch` that keeps what it is given and refuses."""
    page = PAGES["docs/guide/train.md"]
    (command,) = [line for line in commands(page) if "submitit_slurm" in line]
    bin = place / "slurm"
    bin.mkdir()
    for name, line in (("sbatch", f'cp "$1" {bin}/job.sh; exit 1'), ("srun", "exit 1")):
        (bin / name).write_text(f"#!/bin/sh\n{line}\n")
        (bin / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:{os.environ['PATH']}")
    assert run(shortened(command, How()))
    job = (bin / "job.sh").read_text()
    for asked in ("partition=NAME", "nodes=4", "ntasks-per-node=8", "gpus-per-node=8"):
        assert f"#SBATCH --{asked}\n" in job
    assert "signal=USR2@300" in job and "submitit.core._submit" in job
