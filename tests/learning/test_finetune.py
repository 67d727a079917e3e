import numpy as np
import pytest
import torch
from torch import nn

from headmime.errors import HeadmimeError
from headmime.landmarks.drawing import draw_landmarks
from headmime.learning.finetune import FineTuneSettings, embed, fine_tune
from headmime.learning.jitter import Jitter
from headmime.learning.rehearsal import Rehearsal
from headmime.learning.settings import LossWeights
from headmime.nets import Nets
from headmime.nets.personal import personalise
from headmime.pixels import to_tensor, to_uint8


def test_everything_of_the_person_moves_and_the_nets_stay(
    nets: Nets, person: tuple[torch.Tensor, np.ndarray], perceptual: nn.Module
) -> None:
    before = [p.clone() for net in nets for p in net.parameters()]
    start = personalise(nets.generator, nets.discriminator, embed(nets, *person))
    settings = FineTuneSettings(epochs=2)
    end = fine_tune(nets, *person, settings, perceptual)
    for first, last in zip(start, end, strict=True):
        for (name, a), b in zip(first.named_parameters(), last.parameters(), strict=True):
            assert not torch.equal(a, b), name  # psi', w' and theta among them
    assert all(
        torch.equal(a, b)
        for a, b in zip(before, (p for net in nets for p in net.parameters()), strict=True)
    )


@pytest.mark.parametrize(
    ("rate", "still"),
    [
        ("lr_generator", {"synthesis"}),
        ("lr_psi", {"psi"}),
        ("lr_discriminator", {"v", "w", "b"}),
    ],
)
def test_each_rate_is_of_its_own_parameters(
    nets: Nets,
    person: tuple[torch.Tensor, np.ndarray],
    perceptual: nn.Module,
    rate: str,
    still: set[str],
) -> None:
    start = personalise(nets.generator, nets.discriminator, embed(nets, *person))
    end = fine_tune(nets, *person, FineTuneSettings(epochs=2, **{rate: 0.0}), perceptual)
    moved = {
        name.split(".")[0]
        for first, last in zip(start, end, strict=True)
        for (name, a), b in zip(first.named_parameters(), last.parameters(), strict=True)
        if not torch.equal(a, b)
    }
    assert moved == {"synthesis", "psi", "v", "w", "b"} - still


def test_no_update_leaves_the_meta_learned_start(
    nets: Nets, person: tuple[torch.Tensor, np.ndarray], perceptual: nn.Module
) -> None:
    end = fine_tune(nets, *person, FineTuneSettings(epochs=0), perceptual)
    e_hat = embed(nets, *person)
    assert torch.equal(end.generator.psi, nets.generator.project(e_hat[None])[0])
    assert torch.equal(end.discriminator.w, nets.discriminator.w0 + e_hat)


def test_one_seed_gives_one_person(
    nets: Nets, person: tuple[torch.Tensor, np.ndarray], perceptual: nn.Module
) -> None:
    settings = FineTuneSettings(epochs=2, jitter=Jitter(10, 0.1, 0.1))
    one, other = (fine_tune(nets, *person, settings, perceptual).generator for _ in range(2))
    assert torch.equal(one.psi, other.psi)


def test_content_alone_learns_the_image(
    nets: Nets, person: tuple[torch.Tensor, np.ndarray], perceptual: nn.Module
) -> None:
    frames, landmarks = person[0][:1] * 0 + 0.5, person[1][:1]
    y = to_tensor(draw_landmarks(landmarks, 16))
    weights = LossWeights(adversarial=0.0, feature_matching=0.0)
    settings = FineTuneSettings(60, lr_generator=5e-3, lr_psi=5e-3, weights=weights)
    with torch.no_grad():
        before = fine_tune(nets, frames, landmarks, FineTuneSettings(epochs=0), perceptual)
        far = (before.generator(y) - frames).abs().mean()
    after = fine_tune(nets, frames, landmarks, settings, perceptual)
    with torch.no_grad():
        near = (after.generator(y) - frames).abs().mean()
    assert near < 0.3 * far


def test_progress_is_told_after_every_update(
    nets: Nets, person: tuple[torch.Tensor, np.ndarray], perceptual: nn.Module
) -> None:
    told = []
    settings = FineTuneSettings(epochs=3, batch=2)
    fine_tune(nets, *person, settings, perceptual, lambda n, of, terms: told.append((n, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_who_is_learning_is_shown_after_every_update(
    nets: Nets, person: tuple[torch.Tensor, np.ndarray], perceptual: nn.Module
) -> None:
    shown = []
    end = fine_tune(
        nets,
        *person,
        FineTuneSettings(epochs=1),
        perceptual,
        on_person=lambda done, now: shown.append((done, now, now.generator.psi.clone())),
    )
    assert [(done, now is end) for done, now, _ in shown] == [(1, True), (2, True)]
    assert not torch.equal(shown[0][2], shown[1][2])
    assert torch.equal(shown[1][2], end.generator.psi)


def test_half_precision_leads_nearly_where_single_does(
    nets: Nets,
    person: tuple[torch.Tensor, np.ndarray],
    perceptual: nn.Module,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("headmime.learning.finetune.computes_in_bfloat16", lambda device: True)
    rates = {"lr_generator": 1e-3, "lr_psi": 1e-2}
    start = fine_tune(nets, *person, FineTuneSettings(epochs=0), perceptual).generator
    single, half = (
        fine_tune(nets, *person, FineTuneSettings(5, bfloat16=b, **rates), perceptual).generator
        for b in (False, True)
    )
    assert all(p.dtype == torch.float32 for p in half.parameters())
    assert not torch.equal(single.psi, half.psi)
    y = to_tensor(draw_landmarks(person[1], 16))
    with torch.no_grad():
        before, one, other = (G(y) for G in (start, single, half))
    assert (one - other).abs().mean() < 0.5 * (one - before).abs().mean()


def test_a_device_without_half_precision_uses_single(
    nets: Nets,
    person: tuple[torch.Tensor, np.ndarray],
    perceptual: nn.Module,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("headmime.learning.finetune.computes_in_bfloat16", lambda device: False)
    single, half = (
        fine_tune(nets, *person, FineTuneSettings(2, bfloat16=b), perceptual).generator
        for b in (False, True)
    )
    assert torch.equal(single.psi, half.psi)


@pytest.mark.parametrize(
    ("epochs", "minimum", "maximum", "batch", "frames", "steps"),
    [
        (40, 0, None, 1, 1, 40),
        (40, 0, None, 1, 8, 320),
        (40, 0, None, 8, 32, 160),
        (0, 60, None, 4, 1, 60),
        (1, 0, None, 4, 5, 2),
        (80, 80, 160, 4, 1, 80),
        (80, 80, 160, 4, 8, 160),
        (80, 80, 160, 4, 32, 160),
        (80, 200, 160, 4, 8, 200),
    ],
)
def test_how_many_updates(
    epochs: int, minimum: int, maximum: int | None, batch: int, frames: int, steps: int
) -> None:
    settings = FineTuneSettings(epochs, minimum, maximum, batch)
    assert settings.steps(frames) == steps


def test_two_images_are_jittered_less_than_one(
    nets: Nets,
    person: tuple[torch.Tensor, np.ndarray],
    perceptual: nn.Module,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[float] = []

    def still(
        x: torch.Tensor, landmarks: np.ndarray, jitter: Jitter, rng: np.random.Generator
    ) -> tuple[torch.Tensor, np.ndarray]:
        seen.append(jitter.rotation)
        return x, landmarks

    monkeypatch.setattr("headmime.learning.finetune.apply_jitter", still)
    frames, landmarks = person
    settings = FineTuneSettings(epochs=1, batch=2, jitter=Jitter(rotation=10))
    for T in (1, 2):
        fine_tune(nets, frames[:T], landmarks[:T], settings, perceptual)
    assert seen == pytest.approx([10, 7.937], abs=1e-3)


def test_frames_without_landmarks_are_refused(nets: Nets, perceptual: nn.Module) -> None:
    with pytest.raises(HeadmimeError, match="frames with landmarks"):
        fine_tune(
            nets, torch.rand(2, 3, 16, 16), np.zeros((1, 68, 2)), FineTuneSettings(), perceptual
        )


def test_close_ups_count_for_the_person_and_for_the_rehearsed(
    nets: Nets, person: tuple[torch.Tensor, np.ndarray], perceptual: nn.Module
) -> None:
    frames, landmarks = person
    others = Rehearsal.of(nets, [(to_uint8(frames), landmarks)])

    def total(rehearsal: int, closeup: float) -> float:
        seen: list[float] = []
        weights = LossWeights(closeup=closeup)
        settings = FineTuneSettings(batch=2, epochs=1, rehearsal=rehearsal, weights=weights)
        fine_tune(
            nets,
            frames,
            landmarks,
            settings,
            perceptual,
            lambda _, __, terms: seen.append(terms["loss/total"].item()),
            others,
        )
        return seen[0]

    own = total(0, 1.0) - total(0, 0.0)
    assert own > 0
    assert total(2, 1.0) - total(2, 0.0) > 1.5 * own
