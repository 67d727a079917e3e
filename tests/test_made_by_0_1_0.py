"""What version 0.1.0 wrote (at cf0beb2) is still read: a person, a template, a store, and a
training that goes on.
"""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from headmime.animate.driving import load_template
from headmime.animate.person import load_person
from headmime.cli import main
from headmime.data.inspection import verify_store
from headmime.data.store import Store
from headmime.provenance.statement import Consent, Ingredient

FOLDER = Path(__file__).parent / "made_by_0_1_0"


def test_a_person_makes_the_same_frames() -> None:
    person = load_person(FOLDER / "person")
    assert person.consent is Consent.LICENSED and person.record["detector"] == "dlib"
    assert person.statement.ingredients == (Ingredient("source", "picture", "1" * 64),)
    with np.load(FOLDER / "person_frames.npz") as then:
        frames = person.animator(then["landmarks"])
        assert abs(frames.astype(int) - then["frames"]).max() <= 1
        assert then["frames"].std() > 10


def test_a_template_has_the_same_landmarks() -> None:
    template = load_template(FOLDER / "template.npz")
    with np.load(FOLDER / "person_frames.npz") as then:
        np.testing.assert_allclose(template.landmarks, then["landmarks"], atol=1e-4)
    assert template.fps == Fraction(25)


def test_a_store_holds_the_same_clips() -> None:
    assert verify_store(FOLDER / "store") == []
    store = Store(FOLDER / "store")
    assert store.videos == [("person 0", "video"), ("person 1", "video")]
    assert [clip.split for clip in store.clips] == ["train", "test"]
    assert [store.frame(clip, 1).mean() for clip in range(2)] == [40, 41]
    np.testing.assert_array_equal(store.times(0), [0, 1 / 25])
    with np.load(FOLDER / "person_frames.npz") as then:
        np.testing.assert_allclose(store.landmarks(1), then["landmarks"][:2], atol=1e-3)


def test_a_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callbacks and W had other names: one update of two episodes was made, and one is added."""
    then = torch.load(FOLDER / "training" / "last.ckpt", weights_only=True)
    assert (
        then["callbacks"].keys() == {"Curves", "Grids", "Keep"} and "rows.W" in then["state_dict"]
    )
    (tmp_path / "checkpoints").mkdir()
    shutil.copy(FOLDER / "training" / "last.ckpt", tmp_path / "checkpoints")
    monkeypatch.chdir(tmp_path)
    shape = "image_size=16 width=2 max_width=4 generator_levels=2 bottleneck_blocks=1"
    words = [f"model.{key}" for key in (shape + " attention_down=8 attention_up=8").split()]
    words += ["sources=1", "batch=2", "workers=0", "sitters=null"]
    trainer = "max_epochs=2 max_time=null precision=32-true enable_progress_bar=false"
    words += [f"trainer.{key}" for key in (trainer + " accelerator=cpu").split()]
    store = FOLDER / "training" / "store"
    words += [f"store={store}", f"hydra.run.dir={tmp_path}", "perceptual=efficientnet", "ckpt=last"]
    assert main(["train", *words]) == 0
    now = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert (then["EpisodeData"]["episodes"], now["EpisodeData"]["episodes"]) == (2, 4)
    assert now["callbacks"]["SampleGridCallback"]["batches"] == 2
    W = now["state_dict"]["video_embeddings.W"]
    visited = then["state_dict"]["rows.touched"] >= 0  # the next epoch has other videos
    assert visited.any() and torch.equal(W[visited], then["state_dict"]["rows.W"][visited])
    assert W[~visited].abs().sum() > 0 == then["state_dict"]["rows.W"][~visited].abs().sum()
