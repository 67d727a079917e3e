"""The pages: links, the first two commands, and programs that work as printed."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDE = ROOT / "docs" / "guide"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))


def blocks(page: Path, language: str) -> list[str]:
    """Its blocks of code, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def test_readme_names_the_two_commands() -> None:
    assert blocks(README, "bash")[0].splitlines() == ["make demo", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_local_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert targets or page != README
    for target in targets:
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.slow
@pytest.mark.parametrize("page", [README, GUIDE / "animate.md"], ids=lambda page: page.name)
def test_the_python_api_works_as_printed(page: Path, album: Path) -> None:
    """Feed-forward, for the sake of time."""
    assert blocks(page, "python")
    for block in blocks(page, "python"):
        program = block.replace('consent="own")', 'consent="own", finetune="none")')
        assert program != block
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=album, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        for name in re.findall(r'"(runs/[^"]*)"', block):
            assert (album / name).is_file()


@pytest.mark.slow
def test_extensions_work_as_printed(album: Path) -> None:
    """The first line of a block of code in extending.md names its file; then the commands run."""
    page = (ROOT / "docs" / "reference" / "extending.md").read_text()
    files = re.findall(r"^```\w+\n# (\S+)\n(.*?)^```", page, re.M | re.S)
    assert files
    for name, code in files:
        file = album / name
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
        environment = {**os.environ, "PYTHONPATH": str(album)}
        done = subprocess.run(command, cwd=album, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert (album / "runs" / "stores" / "small" / "manifest.json").is_file()
    record = json.loads((album / "run" / "weights" / "nets.json").read_text())
    assert record["origin"]["perceptual"]["scale"] == "pixels"
