"""`headmime animate pairs=`: many drivings in one call."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from headmime.cli import main, person
from headmime.cli.pairs import COLUMNS
from headmime.cli.person import Animate


@pytest.fixture
def run(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, list[str]]]:
    """Run `headmime animate pairs=<list> <words>` feed-forward in an empty folder: its exit code,
    and the outputs there.
    """
    monkeypatch.chdir(tmp_path)

    def animate(pairs: str, *words: str) -> tuple[int, list[str]]:
        brief = ["finetune=none", "device=cpu", f"weights={tiny_weights}"]
        code = main(["animate", f"pairs={pairs}", *words, *brief])
        return code, sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".jsonl")

    return animate


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is loaded and made, in order."""
    told = []
    load, personalise = person.load, person.personalise

    def counted_load(*given: object) -> object:
        told.append("networks")
        return load(*given)

    def counted_person(model: object, source: list[str], **more: object) -> object:
        told.append(Path(source[0]).name)
        return personalise(model, source, **more)

    monkeypatch.setattr(person, "load", counted_load)
    monkeypatch.setattr(person, "personalise", counted_person)
    return told


def write_csv(path: Path, columns: list[str], *rows: list[object]) -> None:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def write_lines(path: Path, *rows: dict[str, object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_person_is_learnt_once_and_a_bad_item_does_not_end_the_run(
    run: Callable,
    loads: list[str],
    tmp_path: Path,
    mona_lisa: Path,
    motion: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Image.open(mona_lisa).save(tmp_path / "two, b.png")
    write_csv(
        tmp_path / "a list.csv",
        ["source", "driving", "out", "size", "strength.mouth", "consent"],
        [mona_lisa, motion, "a.mp4", "", "", ""],
        ["two, b.png", motion, "b.mp4", 64, "", "own"],
        [mona_lisa, "gone.mp4", "c.mp4", "", "", ""],
        [mona_lisa, motion, "d.gif", "", "0.5", ""],
        [mona_lisa, motion, "e.mp4", "", "-1", ""],
        [mona_lisa, motion, "a.mp4", 64, "", ""],
    )
    made = ["a list.csv", "a.mp4", "b.mp4", "d.gif", "two, b.png"]
    assert run("a list.csv") == (1, made)
    assert loads == ["networks", "mona_lisa.jpg", "two, b.png"]
    said = capsys.readouterr()
    printed = [Path(line).name for line in said.out.splitlines()]
    assert printed == ["a.mp4", "d.gif", "b.mp4"]  # those of a person after each other
    total, *failures = said.err.splitlines()[-4:]
    assert total == "headmime: 3 of 6 pairs were not made."
    assert [line.split(":")[0] for line in failures] == ["line 4", "line 6", "line 7"]
    assert "driving=gone.mp4" in failures[0] and "strength.mouth=-1" in failures[1]
    assert "a.mp4 is that of line 2 too" in failures[2]
    assert b"consent=own" in (tmp_path / "b.mp4").read_bytes()
    assert b"consent=public-domain" in (tmp_path / "a.mp4").read_bytes()


def test_what_is_made_is_skipped_and_other_files_are_left_alone(
    run: Callable,
    loads: list[str],
    tmp_path: Path,
    mona_lisa: Path,
    motion: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{"source": [str(mona_lisa)], "driving": str(motion), "out": f"{k}.mp4"} for k in "ab"]
    write_lines(tmp_path / "list.jsonl", *rows)
    assert run("list.jsonl") == (0, ["a.mp4", "b.mp4"])
    before = (tmp_path / "a.mp4").stat().st_mtime_ns
    (tmp_path / "b.mp4").unlink()
    assert run("list.jsonl") == (0, ["a.mp4", "b.mp4"])
    assert (tmp_path / "a.mp4").stat().st_mtime_ns == before
    assert "1 of 2 pairs are made already" in capsys.readouterr().err
    assert run("list.jsonl", "strength.head=0")[0] == 1  # other settings
    assert "a.mp4 exists, and was not made" in capsys.readouterr().err
    assert (tmp_path / "a.mp4").stat().st_mtime_ns == before
    loads.clear()
    assert run("list.jsonl")[0] == 0
    assert loads == []


def test_keys_of_the_command_are_those_of_every_line(
    run: Callable, tmp_path: Path, mona_lisa: Path, motion: Path, tiny_weights: Path
) -> None:
    """A saved person for all of them."""
    words = [f"source={mona_lisa}", "out=her", "finetune=none", f"weights={tiny_weights}"]
    assert main(["finetune", *words]) == 0
    write_csv(tmp_path / "list.csv", ["driving", "out"], ["talk", "a.png"], [motion, "b.mp4"])
    names = ["a.png", "b.mp4", "her.json", "her.safetensors", "list.csv"]
    assert run("list.csv", "person=her", "size=32") == (0, names)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("list.txt", "", "must end in .csv or .jsonl"),
        ("gone.csv", None, "cannot be read as csv"),
        ("list.csv", "", "lists nothing"),
        ("list.csv", "source,driving,out\na.jpg,talk\n", "line 2 has not as many columns"),
        ("list.csv", "source,drivin,out\na.jpg,talk,a.mp4\n", "line 2: 'drivin' is no key"),
        ("list.csv", "source,out,size\na.jpg,a.mp4,big\n", "line 2: size=big is not a number"),
        ("list.jsonl", '{"out": "a.mp4"}\n{"out": \n', "line 2: "),
        ("list.jsonl", "[1]\n", "line 1 is no object"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_at_once(
    run: Callable,
    tmp_path: Path,
    name: str,
    text: str | None,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert run(name)[0] == 1
    assert said in capsys.readouterr().err


def test_a_line_lacks_nothing(
    run: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.csv").write_text("driving,out\ntalk,a.mp4\n,b.mp4\n")
    assert run("list.csv") == (1, ["list.csv"])
    first, second = capsys.readouterr().err.splitlines()[-2:]
    assert "Give either source= " in first and "driving= is missing" in second


def test_the_keys_of_a_pair_are_keys_of_the_verb() -> None:
    assert {key.partition(".")[0] for key in COLUMNS} <= set(Animate.__dataclass_fields__)
