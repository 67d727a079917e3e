"""`headmime recipe` as typed: trainings of seconds."""

import json
from pathlib import Path

import pytest

import headmime.studies.ablations.run as recipe
from headmime.cli import main
from headmime.studies.ablations.run import Ablations, AblationsSettings


@pytest.fixture
def words(store: Path, tiny_run: list[str], tmp_path: Path) -> list[str]:
    """Two variants of three updates at most, scored on two of the people that they saw."""
    kept = [word for word in tiny_run if "max_time" not in word]
    kept += [f"store={store}", "trainer.max_epochs=1", "growing=[]"]
    train = ",".join(f"'{word}'" for word in kept)
    return [
        *("-cn", "recipe", f"store={store}", "split=train", "videos=2", "held_out=2", "sources=2"),
        *("finetune.minimum_steps=1", "finetune.rehearsal=0", "recipe.minutes=10"),
        *("recipe.only=[base,no_ema]", f"recipe.train=[{train}]", "dataset=made up"),
        *(f"recipe.runs={tmp_path / 'runs'}", f"recipe.out={tmp_path / 'out'}"),
        *(f"results={tmp_path / 'results'}", f"memory={tmp_path / 'memory'}"),
    ]


@pytest.mark.slow
def test_variants_are_trained_scored_and_compared_and_it_resumes(
    words, tmp_path, capsys, monkeypatch
) -> None:
    assert main(["recipe", *words]) == 0
    capsys.readouterr()
    table = (tmp_path / "out" / "recipe.md").read_text().splitlines()
    assert (
        table[2].startswith("| base |  | 6 |")
        and table[3] == "| no_ema | `ema.half_life=null` | 6 |"
    )
    cross, own = "cross-reenactment of other people, relative", "self-reenactment, absolute"
    assert f"made up: {cross} motion, FF (feed-forward), T = 1, 2 persons:" in table
    assert f"made up: {own} motion, FT (fine-tuned), T = 1, 2 persons:" in table
    content = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert content["origin"]["command"].startswith("headmime recipe -cn recipe store=")
    assert content["origin"]["finetune"]["minimum_steps"] == 1 and content["origin"]["stand_in"]
    base, no_ema = content["variants"]
    assert [(row["mode"], row["method"]) for row in base["rows"]] == [
        *(("cross", "ff"), ("cross", "ft"), ("self", "ff"), ("self", "ft")),
    ]
    weights = {row["checkpoint"] for one in (base, no_ema) for row in one["rows"]}
    assert len(weights) == 2
    row = json.loads((tmp_path / "results" / base["rows"][0]["file"]).read_text())
    assert "weights=" in row["origin"]["command"] and "recipe." not in row["origin"]["command"]

    (trained,) = (tmp_path / "runs").glob("no_ema-*")
    said = json.loads((trained / "weights" / "nets.json").read_text())["origin"]["config"]
    assert said["ema"]["half_life"] is None and said["trainer"]["max_time"] == "00:00:10:00"

    monkeypatch.setattr(recipe, "train_in_subprocess", None)
    monkeypatch.setattr(recipe, "check_keys", None)
    assert main(["recipe", *words]) == 0  # all of it is there
    again = json.loads((tmp_path / "out" / "recipe.json").read_text())
    assert again["variants"] == content["variants"]


@pytest.mark.slow
def test_a_misspelt_key_is_said_before_any_training(words, capsys, monkeypatch) -> None:
    monkeypatch.setattr(recipe, "train_in_subprocess", None)
    typed = ["+recipe.variants.odd={optim.steps:2}", "recipe.only=[odd]"]
    assert main(["recipe", *words, *typed]) == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert "optim.steps=2" in error and "steps" in error and "Traceback" not in error


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("recipe.only=[k9]", "recipe.only: k9 is not among base, k1"),
        ("recipe.minutes=0", "recipe.minutes=0.0 should be more than 0"),
        ("recipe.methods=[warp]", "recipe.methods: warp is not trained"),
        ("recipe.Ts=[3]", "T=3 should be from 1 to sources=2"),
        ("recipe.modes.self=sideways", "motion=sideways is not known"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_sentence(words, wrong, sentence, capsys) -> None:
    assert main(["recipe", *words, wrong]) == 1
    error = capsys.readouterr().err
    assert sentence in error.replace("\n", " ") and "Traceback" not in error


def test_other_keys_and_another_time_are_another_training() -> None:
    variants = {"base": {}, "k1": {"sources": 1, "ema.half_life": None}}
    design = Ablations(
        experiment="sitters_128", minutes=90.5, variants=variants, runs="r", train=["batch=2"]
    )
    settings = AblationsSettings(seed=3, recipe=design)
    assert recipe._keys(settings, "k1") == [
        *("seed=3", "ckpt=auto", "batch=2", "sources=1", "ema.half_life=null"),
        "trainer.max_time='00:01:30:30'",
    ]
    folder = recipe._folder(settings, "k1")
    assert folder.parent == Path("r") and folder.name.startswith("k1-")
    settings.recipe.minutes = 20
    assert recipe._folder(settings, "k1") != folder
