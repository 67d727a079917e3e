"""CONTRIBUTING.md, CHANGELOG.md and the files of CI name what exists, in one version."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "headmime"
MAKEFILE = (ROOT / "Makefile").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
GITHUB = sorted((ROOT / ".github").rglob("*.*"))


def words(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def test_every_file_that_is_named_exists() -> None:
    files = [word for word in words(CONTRIBUTING) if re.fullmatch(r"[\w./-]+/|[\w./-]+\.\w+", word)]
    files = [file for file in files if not file.startswith((".npz", ".venv", "headmime."))]
    assert len(files) > 60
    missing = [file for file in files if not ((ROOT / file).exists() or (PACKAGE / file).exists())]
    assert not missing
    for link in re.findall(r"\]\(([^)#:]+)\)", CONTRIBUTING):
        assert (ROOT / link).is_file(), link


def test_the_glossary_says_where_each_term_lives() -> None:
    glossary = CONTRIBUTING.partition("## Glossary")[2]
    rows = [line.strip("|").split("|") for line in glossary.splitlines() if line.startswith("| ")]
    assert len(rows) > 20
    assert all(len(row) == 3 and words(row[2]) for row in rows[1:])


@pytest.mark.parametrize("file", [ROOT / "CONTRIBUTING.md", *GITHUB], ids=lambda file: file.name)
def test_every_target_of_make_exists(file: Path) -> None:
    for target in re.findall(r"(?:`|run: )make (\w+)", file.read_text()):
        assert re.search(rf"^{target}:", MAKEFILE, re.M), f"make {target}"


def test_ci_does_what_the_script_does_and_the_quick_tests_on_macos() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    commands = {
        job: [step["run"] for step in steps["steps"] if "run" in step]
        for job, steps in workflow["jobs"].items()
    }
    assert commands["linux"][-1] == ".ci/run"
    assert [line.split(" ARGS")[0] for line in commands["macos"]] == ["make setup", "make test"]


def test_hooks_run_what_make_lint_runs() -> None:
    (hooks,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.M)[1]
    tool = r"/(\w+(?: check| format)?)"
    entries = " ".join(hook["entry"] for hook in hooks["hooks"])
    assert set(re.findall(rf"\.venv/bin{tool}", entries)) == set(
        re.findall(rf"\$\(BIN\){tool}", lint)
    )


@pytest.mark.parametrize("file", [f for f in GITHUB if f.suffix == ".yml"], ids=lambda f: f.name)
def test_forms_are_yaml_with_a_name(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["name"]


def test_one_version_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changes = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert changes == [version, "0.1.0"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
