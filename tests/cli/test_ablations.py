"""`headmime ablations` as typed: trainings of seconds, each without one part, scored."""

import json
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from omegaconf import OmegaConf

import headmime.studies.ablations.run as ablations
from headmime.cli import main
from headmime.cli.config import experiments_folder
from headmime.nets import build_nets
from headmime.nets.checkpoint import load_nets
from headmime.studies.ablations.run import Ablations, AblationsSettings


@pytest.fixture
def words(store: Path, tiny_run: list[str], tmp_path: Path) -> list[str]:
    """Two variants of three updates at most, scored on two of the people that they saw."""
    kept = [word for word in tiny_run if "max_time" not in word]
    kept += [f"store={store}", "trainer.max_epochs=1", "growing=[]"]
    train = ",".join(f"'{word}'" for word in kept)
    return [
        *("-cn", "ablations_128", f"store={store}", "split=train", "videos=2", "held_out=2"),
        *("sources=2", "finetune.minimum_steps=1", "finetune.rehearsal=0", "ablations.minutes=10"),
        *("ablations.only=[base,no_ema]", f"ablations.train=[{train}]", "dataset=made up"),
        *(f"ablations.runs={tmp_path / 'runs'}", f"ablations.out={tmp_path / 'out'}"),
        *(f"results={tmp_path / 'results'}", f"memory={tmp_path / 'memory'}"),
    ]


@pytest.mark.slow
def test_variants_are_trained_scored_and_compared_and_it_resumes(
    words, tmp_path, capsys, monkeypatch
) -> None:
    assert main(["ablations", *words]) == 0
    capsys.readouterr()
    table = (tmp_path / "out" / "ablations.md").read_text().splitlines()
    assert (
        table[2].startswith("| base |  | 6 |")
        and table[3] == "| no_ema | `ema.half_life=null` | 6 |"
    )
    cross, own = "cross-reenactment of other people, relative", "self-reenactment, absolute"
    assert f"made up: {cross} motion, FF (feed-forward), T = 1, 2 persons:" in table
    assert f"made up: {own} motion, FT (fine-tuned), T = 1, 2 persons:" in table
    content = json.loads((tmp_path / "out" / "ablations.json").read_text())
    typed = "headmime ablations -cn ablations_128 store="
    assert content["origin"]["command"].startswith(typed)
    assert content["origin"]["finetune"]["minimum_steps"] == 1 and content["origin"]["stand_in"]
    base, no_ema = content["variants"]
    assert [(row["mode"], row["method"]) for row in base["rows"]] == [
        *(("cross", "ff"), ("cross", "ft"), ("self", "ff"), ("self", "ft")),
    ]
    weights = {row["checkpoint"] for one in (base, no_ema) for row in one["rows"]}
    assert len(weights) == 2
    row = json.loads((tmp_path / "results" / base["rows"][0]["file"]).read_text())
    command = row["origin"]["command"]
    assert "weights=" in command and "ablations." not in command

    (trained,) = (tmp_path / "runs").glob("no_ema-*")
    said = json.loads((trained / "weights" / "nets.json").read_text())["origin"]["config"]
    assert said["ema"]["half_life"] is None and said["trainer"]["max_time"] == "00:00:10:00"

    monkeypatch.setattr(ablations, "train_in_subprocess", None)
    monkeypatch.setattr(ablations, "check_keys", None)
    assert main(["ablations", *words]) == 0  # all of it is there
    again = json.loads((tmp_path / "out" / "ablations.json").read_text())
    assert again["variants"] == content["variants"]


@pytest.mark.slow
def test_a_misspelt_key_is_said_before_any_training(words, capsys, monkeypatch) -> None:
    monkeypatch.setattr(ablations, "train_in_subprocess", None)
    typed = ["+ablations.variants.odd={optim.steps:2}", "ablations.only=[odd]"]
    assert main(["ablations", *words, *typed]) == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert "optim.steps=2" in error and "steps" in error and "Traceback" not in error


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("ablations.only=[k9]", "ablations.only: k9 is not among base, k1"),
        ("ablations.minutes=0", "ablations.minutes=0.0 should be more than 0"),
        ("ablations.methods=[warp]", "ablations.methods: warp is not trained"),
        ("ablations.Ts=[3]", "T=3 should be from 1 to sources=2"),
        ("ablations.modes.self=sideways", "motion=sideways is not known"),
        ("store=nowhere", "nowhere is not a finished clip store"),
    ],
)
def test_what_a_user_can_get_wrong_is_one_sentence(
    words, wrong, sentence, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(ablations, "check_keys", None)  # it is said before anything is composed
    assert main(["ablations", *words, wrong]) == 1
    error = capsys.readouterr().err
    assert sentence in error.replace("\n", " ") and "Traceback" not in error


def test_the_name_that_it_had_before_says_the_new_one(capsys) -> None:
    assert main(["recipe", "-cn", "recipe_256"]) == 2
    assert "`headmime ablations`" in capsys.readouterr().err


def test_other_keys_and_another_time_are_another_training() -> None:
    variants = {"base": {}, "k1": {"sources": 1, "ema.half_life": None}}
    design = Ablations(
        experiment="sitters_128", minutes=90.5, variants=variants, runs="r", train=["batch=2"]
    )
    settings = AblationsSettings(seed=3, ablations=design)
    assert ablations._keys(settings, "k1") == [
        *("seed=3", "ckpt=auto", "batch=2", "sources=1", "ema.half_life=null"),
        "trainer.max_time='00:01:30:30'",
    ]
    folder = ablations._folder(settings, "k1")
    assert folder.parent == Path("r") and folder.name.startswith("k1-")
    settings.ablations.minutes = 20
    assert ablations._folder(settings, "k1") != folder
    settings.ablations.minutes = None
    assert ablations._keys(settings, "k1")[-1] == "trainer.max_time=null"


def trained(name: str, store: Path, tiny_run: list[str], folder: Path) -> Path:
    """The run of one variant of experiments/ablations.yaml, in this process."""
    keys = OmegaConf.load(experiments_folder() / "ablations.yaml").ablations
    short = [*keys.train, *tiny_run, "trainer.max_epochs=1"]
    settings = AblationsSettings(seed=0, ablations=Ablations(**{**keys, "train": short}))
    words = ["train", "-cn", keys.experiment, f"store={store}", f"hydra.run.dir={folder / name}"]
    assert main([*words, *ablations._keys(settings, name)]) == 0
    return folder / name


def test_no_w_has_no_video_embeddings(
    store: Path, tiny_run: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    embeddings = {}
    for name in ("base", "no_w"):
        folder = trained(name, store, tiny_run, tmp_path)
        state = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        embeddings[name] = [key for key in state if "video_embeddings" in key]
        origin = json.loads((folder / "weights" / "nets.json").read_text())["origin"]
        assert origin["config"]["optim"]["lr_video_embeddings"] == (
            None if name == "no_w" else 2e-3
        )
    assert embeddings["base"] and not embeddings["no_w"]


def test_untrained_is_what_random_weights_are(
    store: Path, tiny_run: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that fine-tuning from it is fine-tuning without meta-learning."""
    monkeypatch.chdir(tmp_path)
    folder = trained("untrained", store, tiny_run, tmp_path)
    nets, shape, record = load_nets(folder / "weights" / "nets")
    assert record["origin"]["episodes"] == 0
    pl.seed_everything(0, verbose=False)
    for net, fresh in zip(nets, build_nets(shape), strict=True):
        for one, other in zip(net.parameters(), fresh.parameters(), strict=True):
            assert torch.equal(one, other.half().float())
