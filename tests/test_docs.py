"""Every command that the pages print is run as printed, with keys appended that make it short."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "animation.md", ROOT / "docs" / "provenance.md"]
MONA_LISA = ROOT / "src" / "headmime" / "assets" / "pictures" / "mona_lisa.jpg"
BRIEFLY = {
    "demo": "finetune.minimum_steps=2 out={work}/demo",
    "animate": "",
    "finetune": "finetune.minimum_steps=2",
    "preprocess": "workers=1",
    "data": "",
    "template": "",
    "train": (
        "store={work}/store sitters.n=4 sitters.frames=6 batch=2 hydra.run.dir={work}/train "
        "trainer.max_epochs=1 trainer.limit_train_batches=1"
    ),
    "verify": "",
    "test": "--collect-only -q",
}


def blocks(language):
    """The code blocks of all pages, in order."""
    text = "\n".join(page.read_text() for page in PAGES)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands():
    """The lines of the bash blocks, split into words."""
    return [shlex.split(line) for block in blocks("bash") for line in block.splitlines() if line]


def test_readme_names_the_two_commands():
    assert commands()[:2] == [["make", "demo"], ["make", "test"]]


def test_local_links_lead_somewhere():
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.slow
def test_commands_run_as_printed(tmp_path):
    """In order, since later ones use what earlier ones made; `runs/` is under a scratch folder."""
    photographs_and_a_driver(tmp_path)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    for words in commands():
        done = subprocess.run(
            shortened(words, tmp_path),
            cwd=ROOT if words[0] == "make" else tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        said = f"{shlex.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, said
        for word in words:
            if word.startswith("out="):
                assert list(tmp_path.glob(f"{word.removeprefix('out=')}*")), said


@pytest.mark.slow
def test_the_python_api_works_as_printed(tmp_path):
    """Feed-forward, for the sake of time."""
    photographs_and_a_driver(tmp_path)
    for block in blocks("python"):
        program = block.replace('consent="own")', 'consent="own", finetune="none")')
        assert program != block
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        for name in re.findall(r'"(runs/[^"]*)"', block):
            assert (tmp_path / name).is_file()


@pytest.mark.slow
def test_extensions_work_as_printed(tmp_path):
    """docs/extending.md: the first line of a block of code is its file; then the commands run."""
    photographs_and_a_driver(tmp_path)
    page = (ROOT / "docs" / "extending.md").read_text()
    for name, code in re.findall(r"^```\w+\n# (\S+)\n(.*?)^```", page, re.M | re.S):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    briefly = {
        "preprocess": ["workers=1"],
        "train": [
            "hydra.run.dir=run",
            "trainer.max_epochs=1",
            "workers=0",
            "trainer.accelerator=cpu",
        ],
    }
    for line in re.findall(r"^```bash\n(.*?)\n```", page, re.M | re.S):
        program, verb, *keys = shlex.split(line)
        command = [Path(sys.executable).parent / Path(program).name, verb, *keys, *briefly[verb]]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert (tmp_path / "runs" / "stores" / "small" / "manifest.json").is_file()
    assert (
        json.loads((tmp_path / "run" / "weights" / "nets.json").read_text())["origin"][
            "perceptual"
        ]["scale"]
        == "pixels"
    )


def shortened(words, work):
    """The command with the keys of BRIEFLY appended: to ARGS where make runs it."""
    keys = BRIEFLY[words[1]].format(work=work)
    if words[0] == "make":
        given = [word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")]
        plain = [word for word in words if not word.startswith("ARGS=")]
        return [*plain, f"ARGS={' '.join([*given, keys])}"]
    program = Path(sys.executable).parent / Path(words[0]).name
    if words[1] == "animate" and not any(word.startswith("person=") for word in words):
        keys = BRIEFLY["finetune"]
    return [str(program), *words[1:], *keys.split()]


def photographs_and_a_driver(folder):
    """me.jpg, photos/, driver.mp4 and clips/, all of the painting: the driver moves it about."""
    shutil.copy(MONA_LISA, folder / "me.jpg")
    picture = Image.open(MONA_LISA)
    (folder / "photos").mkdir()
    for n in range(3):
        picture.rotate(4 * n - 4, Image.Resampling.BICUBIC).save(folder / "photos" / f"{n}.jpg")
    angles = 5 * np.sin(np.linspace(0, 2 * np.pi, 12))
    frames = [np.asarray(picture.rotate(angle, Image.Resampling.BICUBIC)) for angle in angles]
    video = folder / "driver.mp4"
    iio.imwrite(video, np.stack(frames), plugin="pyav", codec="libx264", fps=12)
    (folder / "clips").mkdir()
    shutil.copy(video, folder / "clips" / "painting.mp4")
