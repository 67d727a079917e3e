"""`make web` and the other commands of docs/web.md, as printed."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from headmime.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "web.md"
RAN = "The page is at "


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


@pytest.fixture
def environment() -> dict[str, str]:
    """Without what an outer make hands down."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}


def test_the_page_names_its_commands() -> None:
    assert commands()[0] == ["make", "web"]
    assert {tuple(words[:2]) for words in commands()} == {
        ("make", "web"),
        (".venv/bin/headmime", "finetune"),
        (".venv/bin/headmime", "live"),
    }


@pytest.mark.slow
def test_commands_run_as_printed(
    tmp_path: Path,
    mona_lisa: Path,
    environment: dict[str, str],
    heeds_interrupts: Callable[[], None],
) -> None:
    """The page at a free port, until Ctrl-C; the others from end to end, with two steps."""
    shutil.copy(mona_lisa, tmp_path / "me.jpg")
    picture = Image.open(mona_lisa)
    frames = [np.asarray(picture.rotate(4 * np.sin(k), Image.Resampling.BICUBIC)) for k in range(9)]
    iio.imwrite(tmp_path / "driver.mp4", np.stack(frames), plugin="pyav", codec="libx264", fps=9)
    for words in commands():
        if words[0] == "make":
            page_comes_and_goes([*words[:2], "ARGS=port=0"], environment, heeds_interrupts)
            continue
        program = str(Path(sys.executable).parent / Path(words[0]).name)
        briefly = ["finetune.minimum_steps=2"] if words[1] == "finetune" else []
        done = subprocess.run(
            [program, *words[1:], *briefly],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stderr[-3000:]}"
    assert (tmp_path / "runs" / "live.mp4").is_file()


def page_comes_and_goes(
    words: list[str], environment: dict[str, str], heeds_interrupts: Callable[[], None]
) -> None:
    with subprocess.Popen(
        words,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heeds_interrupts,
    ) as process:
        assert process.stdout
        said = next((line for line in process.stdout if line.startswith(RAN)), "")
        url = said.removeprefix(RAN).split()[0]
        with urlopen(url) as answer:
            assert b"headmime" in answer.read()
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
    assert process.returncode != 0  # make tells of the interruption


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("weights=gone", "gone"),
        ("limits.minutes=3", "minutes"),
        ("device=toaster", "device=toaster"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["web", word]) in (1, 2)
    assert said in capsys.readouterr().err
