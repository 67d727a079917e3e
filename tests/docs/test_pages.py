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


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub writes them."""
    heads = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M
    )
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_local_links_lead_somewhere(page: Path) -> None:
    """To a file, and to a heading of it where the link names one."""
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text())
    assert links or page != README
    for target, heading in links:
        file = page.parent / target if target else page
        assert file.exists(), f"{name(page)} links to {target}"
        assert not heading or heading in anchors(file), f"{name(page)} links to {target}#{heading}"


def test_paths_of_pages_exist() -> None:
    """Wherever code, configurations and messages name one."""
    places = [
        ROOT,
        *(ROOT / folder for folder in (".github", "conf", "experiments", "makers", "src", "tools")),
    ]
    kinds = {"", ".cff", ".md", ".py", ".sbatch", ".sh", ".toml", ".yaml", ".yml"}
    for place in places:
        for file in place.glob("*") if place == ROOT else place.rglob("*"):
            if file.is_file() and file.suffix in kinds:
                for page in re.findall(
                    r"(?<![\w/.])docs/[\w/.-]+\.md", file.read_text(errors="ignore")
                ):
                    assert (ROOT / page).is_file(), f"{file.relative_to(ROOT)} names {page}"


def test_the_index_names_every_page() -> None:
    """docs/README.md or, of the results, docs/results/README.md."""
    indices = (ROOT / "docs" / "README.md", ROOT / "docs" / "results" / "README.md")
    links = {
        (index.parent / target).resolve()
        for index in indices
        for target in re.findall(r"\]\(([^)#:]+\.md)", index.read_text())
    }
    assert not {page.resolve() for page in PAGES[1:]} - links - set(indices[:1])


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_prose_is_wrapped(page: Path) -> None:
    """At 120; not tables, code, and what `headmime report` writes."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    if not text.startswith("# Results\n\nMade by `headmime report"):
        assert not [line for line in text.splitlines() if len(line) > 120 and line[0] not in "| "]


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
