"""`headmime userstudy`, from rows to USER."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from headmime.cli import main
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.landmarks.crop import Crop
from headmime.studies.userstudy.answers import FILE, Answers
from headmime.studies.userstudy.study import load_study


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two persons of the split test, each with three videos of six frames of 16 pixels."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "store"
    clips = (
        ClipFrames(
            person=f"person {person}",
            video=f"video {video}",
            clip="0",
            split="test",
            source="made up",
            fps=25.0,
            crop=Crop(0, 0, 100),
            detector="dlib",
            frames=rng.integers(0, 255, (6, 16, 16, 3), np.uint8),
            landmarks=rng.uniform(0.2, 0.8, (6, 68, 2)),
            times=np.arange(6) / 25,
            scores=np.ones(6),
        )
        for person in range(2)
        for video in range(3)
    )
    write_shard(folder, 0, clips)
    finish_store(folder)
    return folder


@pytest.fixture
def words(store: Path, tiny_weights: Path, tmp_path: Path) -> list[str]:
    """What prepares a small study with untrained networks."""
    return [
        "prepare", "-cn", "eval_sitters", f"store={store}", "split=test", "videos=2", "held_out=2",
        "sources=3", "T=2", "study.methods=[ff,copy]", "study.triplets=2", "device=cpu",
        f"weights={tiny_weights}", f"memory={tmp_path}/cache", f"study.out={tmp_path}/study",
    ]  # fmt: skip


def test_prepare_then_report(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["userstudy", *words]) == 0
    folder = tmp_path / "study"
    study = load_study(folder)
    assert list(study.rows) == ["ff_T2", "copy_T2"] and study.size == 16
    assert study.sequences == {"videos": 4, "clips": 0, "moments": 0}
    assert study.rows["ff_T2"]["checkpoint"] and not study.rows["copy_T2"]["checkpoint"]

    answers = Answers(folder / FILE, study.hash)
    answers.begin("anna")
    for triplet in study.triplets:
        found = triplet.row == "ff_T2"
        answers.add("anna", triplet.id, triplet.generated if found else triplet.real[0], 700)
    capsys.readouterr()
    assert main(["userstudy", "report", str(folder), f"csv={tmp_path}/a.csv"]) == 0
    printed = capsys.readouterr().out
    assert "ff_T2: USER 1.000 = 2 / 2" in printed and "copy_T2: USER 0.000 = 0 / 2" in printed
    assert "Wilson" in printed and "4 from three videos" in printed
    with open(tmp_path / "a.csv") as file:
        assert sum(int(row["found"]) for row in csv.DictReader(file)) == 2
    given = (folder / FILE).read_bytes()
    assert main(["userstudy", "report", str(folder), f"csv={folder / FILE}"]) == 1
    assert "is the input" in capsys.readouterr().err and (folder / FILE).read_bytes() == given
    result = json.loads((folder / "user.json").read_text())
    row = result["rows"]["ff_T2"]
    assert (row["value"], row["answered"], row["of"]["T"]) == (1.0, 2, 2)
    assert result["study"]["sha256"] == study.hash and result["origin"]["date"]


def test_serve_until_interrupted(
    words: list[str], tmp_path: Path, heeds_interrupts: Callable[[], None]
) -> None:
    assert main(["userstudy", *words]) == 0
    command = [sys.executable, "-m", "headmime.cli", "userstudy", "serve", str(tmp_path / "study")]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=heeds_interrupts,
    ) as server:
        try:
            url = server.stdout.readline().split()[-1]
            page = urlopen(url, timeout=20).read().decode()
            assert "Find the generated one" in page
        finally:
            server.send_signal(signal.SIGINT)
            try:
                assert server.wait(20) == 130
            finally:
                server.kill()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("mode=cross", "mode=cross"),
        ("study.methods=[real]", "method=real"),
        ("study.triplets=0", "should be 1 or more"),
        ("study.methods=[magic]", "method=magic is not known"),
        ("study.Ts=[9]", "T=9 should be from 1 to"),
        ("study.pictures=3", "pictures"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    words: list[str], change: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["userstudy", *words, change]) in (1, 2)
    assert sentence in capsys.readouterr().err


def test_a_verb_that_is_none_and_a_study_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["userstudy", "win"]) == 2
    assert (
        "the verbs are: userstudy prepare, userstudy serve, userstudy report."
        in capsys.readouterr().err
    )
    assert main(["userstudy", "report", str(tmp_path)]) == 1
    assert "is not a prepared study" in capsys.readouterr().err
