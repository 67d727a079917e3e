import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headmime.animate.model import Model
from headmime.animate.person import (
    adapt,
    finetune_settings,
    load_person,
    person_from_images,
    seconds_per_update,
)
from headmime.animate.sources import Sources
from headmime.errors import HeadmimeError
from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.finetune import FineTuneSettings
from headmime.pixels import to_tensor, to_uint8
from headmime.pretrained.frozen import Frozen
from headmime.provenance.statement import Consent


class Pixels(Frozen):
    """A perceptual network for tests: the picture itself."""

    def __init__(self) -> None:
        super().__init__("pixels", {})

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images]


@pytest.fixture
def sources(mona_landmarks: np.ndarray) -> Sources:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)
    faces = np.stack([mona_landmarks + 0.02 * k for k in range(3)])
    faces[0, [65, 66, 67], 1] += 0.1  # the mouth is open in the first
    return Sources(frames, faces, "dlib", ["a", "b", "c"])


@pytest.fixture
def motion(mona_landmarks: np.ndarray) -> np.ndarray:
    shift = np.linspace(0, 0.3, 40, dtype=np.float32)[:, None, None]
    return mona_landmarks + shift


def test_feed_forward_is_the_meta_learned_generator_alone(
    model: Model, sources: Sources, motion: np.ndarray
) -> None:
    """Every frame is G(y, psi) with psi = P e_hat (Eq. 2): no pixel of the source."""
    nets = model.nets
    with torch.inference_mode():
        y = to_tensor(draw_landmarks(sources.landmarks, 16))
        e_hat = nets.embedder(to_tensor(sources.frames)[None], y[None])
        psi = nets.generator.project(e_hat).expand(len(motion), -1)
        wanted = to_uint8(nets.generator(to_tensor(draw_landmarks(motion, 16)), psi))
    frames = adapt(nets, sources.frames, sources.landmarks, None)(motion)
    assert frames.shape == (40, 16, 16, 3)
    assert frames.dtype == np.uint8
    assert abs(frames.astype(int) - wanted).max() <= 1  # of batches of another size


def test_fine_tuning_changes_the_person_and_not_the_model(
    model: Model, sources: Sources, motion: np.ndarray
) -> None:
    before = {name: t.clone() for name, t in model.nets.generator.state_dict().items()}
    settings = FineTuneSettings(epochs=0, minimum_steps=3, lr_generator=1e-2, lr_psi=1e-1)
    told = []
    tuned = adapt(
        model.nets,
        sources.frames,
        sources.landmarks,
        settings,
        Pixels(),
        lambda step, steps, losses: told.append((step, steps)),
    )
    plain = adapt(model.nets, sources.frames, sources.landmarks, None)
    assert (tuned(motion[:2]) != plain(motion[:2])).any()
    after = model.nets.generator.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_person_knows_the_neutral_face(model: Model, sources: Sources) -> None:
    person = person_from_images(model, sources, None, None, Consent.OWN)
    assert np.array_equal(person.neutral, sources.landmarks[1])
    assert np.array_equal(person.portrait, sources.frames[1])
    assert person.record["detector"] == "dlib"
    assert person.record["origin"]["model_sha256"] == model.sha256


def test_a_person_is_kept_without_pictures(
    model: Model, sources: Sources, motion: np.ndarray, tmp_path: Path
) -> None:
    person = person_from_images(model, sources, None, None, Consent.LICENSED)
    person.save(tmp_path / "my person, v1.2")
    kept = load_person(tmp_path / "my person, v1.2")
    assert np.array_equal(kept.animator(motion), person.animator(motion))
    assert np.allclose(kept.neutral, person.neutral, atol=1e-5)
    assert (kept.consent, kept.portrait) == (Consent.LICENSED, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "my person, v1.2.json",
        "my person, v1.2.safetensors",
    ]


def test_a_missing_person_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeadmimeError, match=r"person=.*nobody: .*nobody\.safetensors is missing"):
        load_person(tmp_path / "nobody")


@pytest.mark.parametrize("rehearsal", [0, 8])
def test_an_update_is_timed_and_the_networks_stay_as_they_are(model: Model, rehearsal: int) -> None:
    before = [value.clone() for net in model.nets for value in net.state_dict().values()]
    settings = replace(finetune_settings("fast"), rehearsal=rehearsal)
    size = model.shape.image_size
    seconds = seconds_per_update(model.nets, size, settings, Pixels())
    assert 0 < seconds < math.inf
    after = [value for net in model.nets for value in net.state_dict().values()]
    assert all(map(torch.equal, before, after))


@pytest.mark.parametrize("key", ["consent", "neutral", "origin"])
@pytest.mark.parametrize("value", ["mine", 2**63, [1], {"a": 1}])
def test_a_damaged_person_is_named(
    model: Model, sources: Sources, tmp_path: Path, key: str, value: object
) -> None:
    person_from_images(model, sources, None, None, Consent.OWN).save(tmp_path / "me")
    content = json.loads((tmp_path / "me.json").read_text())
    (tmp_path / "me.json").write_text(json.dumps(content | {key: value}))
    with pytest.raises(HeadmimeError, match=r"/me lacks the person's"):
        load_person(tmp_path / "me")
