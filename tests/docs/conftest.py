"""A place where commands are run as printed: it looks like a checkout, with somebody's files."""

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.request import urlopen

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

import headmime
from headmime.cli import main
from headmime.provenance.signer import CERTIFICATE, KEY, local_folder, signer_for
from headmime.provenance.statement import ProvenanceOptions

OUTPUTS = ("out=", "csv=")
ROOT = Path(__file__).parents[2]
OF_THE_CHECKOUT = ("Makefile", "pyproject.toml", "constraints.txt", "makers", "tools")


@pytest.fixture(scope="session")
def photographs() -> list[Image.Image]:
    """Twelve of the painting, which nods."""
    picture = Image.open(ROOT / "src/headmime/assets/images/mona_lisa.jpg")
    angles = 5 * np.sin(np.linspace(0, 2 * np.pi, 12))
    return [picture.rotate(angle, Image.Resampling.BICUBIC) for angle in angles]


@pytest.fixture
def album(tmp_path: Path, photographs: list[Image.Image]) -> Path:
    """me.jpg, photos/, driver.mp4 and clips/ in an empty folder."""
    fill(tmp_path, photographs)
    return tmp_path


def fill(folder: Path, photographs: list[Image.Image]) -> None:
    photographs[0].save(folder / "me.jpg")
    (folder / "photos").mkdir()
    for n, picture in enumerate(photographs[:3]):
        picture.save(folder / "photos" / f"{n}.jpg")
    frames = np.stack([np.asarray(picture) for picture in photographs])
    iio.imwrite(folder / "driver.mp4", frames, plugin="pyav", codec="libx264", fps=12)
    (folder / "pairs.csv").write_text(
        "source,driving,out,strength.mouth\nme.jpg,driver.mp4,runs/pairs/1.mp4,\n"
        "me.jpg,talk,runs/pairs/2.mp4,1.3\nphotos,photos/1.jpg,runs/pairs/3.png,\n"
    )
    (folder / "clips").mkdir()
    shutil.copy(folder / "driver.mp4", folder / "clips" / "painting.mp4")


@pytest.fixture(scope="session")
def place(
    tmp_path_factory: pytest.TempPathFactory, photographs: list[Image.Image], configuration: Path
) -> Path:
    """With a person, a video of them, two clips of "VoxCeleb2", people, a certificate, and a store
    of rendered people under the names that the pages give theirs.
    """
    folder = tmp_path_factory.mktemp("checkout")
    fill(folder, photographs)
    for name in OF_THE_CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    (folder / "docs").mkdir()
    (folder / "src" / "headmime" / "assets" / "motions").mkdir(parents=True)
    for person in ("id00001", "id00002"):
        video = folder / "VoxCeleb2" / "mp4" / person / "video"
        video.mkdir(parents=True)
        shutil.copy(folder / "driver.mp4", video / "00001.mp4")
    listed(folder / "people", photographs)
    signer_for(ProvenanceOptions())
    shutil.copy(local_folder() / CERTIFICATE, folder / "chain.pem")
    shutil.copy(local_folder() / KEY, folder / "key.pem")
    somebody(folder)
    render(folder / "runs" / "stores")
    return folder


@pytest.fixture(scope="session")
def ran() -> set[tuple[str, ...]]:
    """The commands that have been run there: none is run twice."""
    return set()


def listed(folder: Path, photographs: list[Image.Image]) -> None:
    """Tables of six people with a video each and of two single pictures, half of each for
    `report`. The videos are long enough for 32 sources and 24 other frames.
    """
    folder.mkdir()
    videos, pictures = ["file\tidentity\tsplit"], ["file\tidentity\tsplit"]
    frames = np.stack([np.asarray(picture) for picture in photographs] * 6)
    for number, half in enumerate(["report", "tune"] * 3):
        iio.imwrite(folder / f"{number}.mp4", frames, plugin="pyav", codec="libx264", fps=12)
        videos.append(f"{number}.mp4\tperson {number}\t{half}")
    for number, half in enumerate(["report", "tune"]):
        photographs[number].save(folder / f"{number}.jpg")
        pictures.append(f"{number}.jpg\tpainting {number}\t{half}")
    (folder / "clips.tsv").write_text("\n".join(videos) + "\n")
    (folder / "portraits.tsv").write_text("\n".join(pictures) + "\n")


def somebody(folder: Path) -> None:
    """runs/me and runs/me.mp4, feed-forward."""
    (folder / "runs").mkdir()
    person = headmime.personalise(
        headmime.load(), [folder / "me.jpg"], finetune="none", consent="own"
    )
    person.save(folder / "runs" / "me")
    headmime.save(headmime.animate(person, folder / "driver.mp4"), folder / "runs" / "me.mp4")


def render(stores: Path) -> None:
    """Six people and two whose motions are exchanged, 12 frames of 64 pixels each."""
    from headmime.sitters.write import write_sitters

    write_sitters(6, stores / "small", 12, 64, 11, 1, cross=2, drivers=1)
    for name in ("mine", "sitters_eval", "sitters_cross"):
        (stores / name).symlink_to("small")


Run = Callable[[list[str]], str]


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What a command of headmime said if it failed; in this process, to be quick."""

    def run(words: list[str]) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main(words[1:])
        return said.getvalue() if code else ""

    monkeypatch.chdir(place)
    return run


@pytest.fixture
def run(place: Path) -> Run:
    """What a command said if it failed, or left out what it was to write."""

    def run(words: list[str]) -> str:
        tests = words[:2] == ["make", "test"] or words[0].endswith("pytest")
        folder = ROOT if tests else place
        done = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True)
        if done.returncode != 0:
            return f"{done.stdout}\n{done.stderr}"
        written = dict(word.split("=", 1) for word in words if word.startswith(OUTPUTS))
        written |= {option: name for option, name in pairwise(words) if option == "--out"}
        missing = [name for name in written.values() if not list(place.glob(f"{name}*"))]
        return f"It has not written {missing}." if missing and "dry_run=true" not in words else ""

    return run


@pytest.fixture
def serve(place: Path, heeds_interrupts: Callable[[], None]) -> Run:
    """Ask a server for its page, then stop it as Ctrl-C does. What it said if there is no page."""

    def run(words: list[str]) -> str:
        with subprocess.Popen(
            words,
            cwd=place,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=heeds_interrupts,
        ) as process:
            said = []
            for line in process.stdout:
                said.append(line)
                if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                    with urlopen(address[0]) as answer:
                        assert b"<html" in answer.read().lower()
                    os.killpg(process.pid, signal.SIGINT)
                    process.stdout.read()
                    return ""
        return "".join(said)

    return run


def environment() -> dict[str, str]:
    """Without what an outer make hands down."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return {**kept, "PYTHONUNBUFFERED": "1"}
