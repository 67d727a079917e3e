"""`headmime curves` as typed, on a few small frames."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

import headmime.studies.finetune_curves.run as curves
from headmime.cli import main


@pytest.fixture
def words(store: Path, tiny_weights: Path, tmp_path: Path) -> list[str]:
    """Two people, one fine-tuning of three updates each for a setting and a T."""
    return [
        *("-cn", "finetuning_curves", "split=train", "videos=2", "held_out=2", "sources=2"),
        *("finetune.rehearsal=0", "finetune.batch=1", f"store={store}", f"weights={tiny_weights}"),
        *("curves.Ts=[1]", "curves.steps=[0,1,3]", "curves.frames=1", "dataset=made up"),
        *("curves.only=[default,psi_only]", f"curves.out={tmp_path / 'out'}"),
        *(f"results={tmp_path / 'results'}", f"memory={tmp_path / 'memory'}"),
    ]


@pytest.mark.slow
def test_points_of_all_settings_and_they_are_kept(words, tmp_path, capsys, monkeypatch) -> None:
    tuned = []
    once = curves.animators_at
    monkeypatch.setattr(curves, "animators_at", lambda *a: tuned.append(a[0]) or once(*a))
    assert main(["curves", *words]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [Path(line).name for line in printed] == [
        *("curves.csv", "curves.json", "curves-cross.png", "curves-cross.pdf"),
        *("curves-self.png", "curves-self.pdf"),
    ]
    assert tuned == 2 * 2 * [[0, 1, 3]]  # each person once for each setting, in both modes
    lines = list(csv.DictReader((tmp_path / "out" / "curves.csv").open()))
    of = {(line["setting"], line["mode"], line["step"], line["score"]): line for line in lines}
    assert {key[:3] for key in of} == {
        (setting, mode, step)
        for setting in ("default", "psi_only")
        for mode in ("cross", "self")
        for step in ("0", "1", "3")
    }
    start = [of[setting, "self", "0", "ssim"]["value"] for setting in ("default", "psi_only")]
    assert start[0] == start[1]  # the feed-forward model, whatever comes then
    end = [of[setting, "self", "3", "ssim"]["value"] for setting in ("default", "psi_only")]
    assert len({*start, *end}) == 3
    assert Image.open(tmp_path / "out" / "curves-self.png").width > 1000

    content = json.loads((tmp_path / "out" / "curves.json").read_text())
    origin = content["origin"]
    assert origin["command"].startswith("headmime curves -cn finetuning_curves split=train")
    assert origin["stand_in"] and len(origin["checkpoint"]) == 64
    assert origin["finetune"]["psi_only"]["rehearsal"] == 0
    assert len(content["points"]) == 2 * 2 * 3

    assert main(["curves", *words]) == 0
    assert len(tuned) == 4  # nobody is fine-tuned again
    again = json.loads((tmp_path / "out" / "curves.json").read_text())
    assert again["points"] == content["points"]

    assert main(["curves", *words, "curves.steps=[0,1]"]) == 1
    assert "(of curves.steps; see its settings.json)" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "curves.json").read_text()) == again


def test_a_setting_can_be_typed(words, tmp_path) -> None:
    typed = "+curves.settings.fast={finetune:{lr_psi:1e-1}}"
    words = [word for word in words if not word.startswith("curves.only")]
    brief = ["curves.only=[fast]", "curves.steps=[1]", "~curves.modes.cross"]
    assert main(["curves", *words, typed, *brief]) == 0
    content = json.loads((tmp_path / "out" / "curves.json").read_text())
    assert content["origin"]["finetune"]["fast"]["lr_psi"] == 0.1
    assert [(one["setting"], one["mode"], one["step"]) for one in content["points"]] == [
        ("fast", "self", 1)
    ]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("curves.only=[slow]", "curves.only: slow is not among default, psi_only, down_frozen"),
        ("curves.steps=[0]", "curves.steps=[0] should be numbers such as"),
        ("curves.steps=[]", "curves.steps=[] should be numbers such as"),
        ("+curves.modes.portrait=relative", "mode=portrait needs single images"),
        ("curves.modes.self=sideways", "motion=sideways is not known"),
        ("curves.Ts=[1,8]", "T=8 should be from 1 to sources=2"),
        ("+curves.settings.default.frozen=[head]", "frozen=head is no part of G"),
        ("store=/nowhere", "/nowhere is not a finished clip store"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_sentence(words, wrong, sentence, capsys) -> None:
    assert main(["curves", *words, wrong]) == 1
    error = capsys.readouterr().err
    assert sentence in error.replace("\n", " ") and "Traceback" not in error


def test_a_misspelt_key_of_a_setting_is_named(words, capsys) -> None:
    assert main(["curves", *words, "+curves.settings.default.finetune.lr_phi=1"]) == 2
    error = capsys.readouterr().err
    assert "lr_phi" in error and "Traceback" not in error
