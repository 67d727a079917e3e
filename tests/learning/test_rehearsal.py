import numpy as np
import pytest
import torch
from torch import nn

from headmime.errors import HeadmimeError
from headmime.learning.finetune import FineTuneSettings, fine_tune
from headmime.learning.rehearsal import Rehearsal
from headmime.learning.settings import LossWeights
from headmime.nets import Nets


def person(seed: int, frames: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (frames, 1, 1, 3), dtype=np.uint8).repeat(16, 1).repeat(16, 2)
    return images, rng.uniform(0.2, 0.8, (frames, 68, 2)).astype(np.float32)


def test_every_frame_has_its_person_s_parameters(nets: Nets) -> None:
    rehearsal = Rehearsal.of(nets, [person(0), person(1, frames=3)])
    assert rehearsal.x.shape == rehearsal.y.shape == (5, 3, 16, 16)
    assert torch.equal(rehearsal.psi[0], rehearsal.psi[1])
    assert torch.equal(rehearsal.psi[2], rehearsal.psi[4])
    assert not torch.equal(rehearsal.psi[1], rehearsal.psi[2])
    alone = Rehearsal.of(nets, [person(1, frames=3)])
    torch.testing.assert_close(rehearsal.psi[2:], alone.psi)


def test_a_draw_keeps_frames_and_parameters_together(nets: Nets) -> None:
    rehearsal = Rehearsal.of(nets, [person(k) for k in range(4)])
    drawn = rehearsal.sample(6, np.random.default_rng(0))
    assert len({x.numpy().tobytes() for x in drawn.x}) == 6
    for x, psi, strips in zip(drawn.x, drawn.psi, drawn.strips, strict=True):
        (place,) = [k for k in range(8) if torch.equal(rehearsal.x[k], x)]
        assert torch.equal(rehearsal.psi[place], psi)
        assert torch.equal(rehearsal.strips[place], strips)


def test_rehearsing_keeps_the_others_nearer(nets: Nets, perceptual: nn.Module) -> None:
    """After learning one image, the generator still knows the people that it rehearsed."""
    others = Rehearsal.of(nets, [person(k) for k in range(2)])
    images, points = person(9, frames=1)
    x = torch.from_numpy(images).movedim(-1, 1) / 127.5 - 1
    weights = LossWeights(adversarial=0.0, feature_matching=0.0)
    fast = {"epochs": 25, "lr_generator": 5e-3, "lr_psi": 5e-3, "weights": weights}

    def error(rehearsal: int) -> float:
        settings = FineTuneSettings(**fast, rehearsal=rehearsal)
        G, _ = fine_tune(nets, x.float(), points, settings, perceptual, rehearsal=others)
        with torch.no_grad():
            return (G.synthesis(others.y, others.psi) - others.x).abs().mean().item()

    assert error(rehearsal=4) < error(rehearsal=0)


def test_rehearsal_without_people_is_refused(nets: Nets, perceptual: nn.Module) -> None:
    images, points = person(0, frames=1)
    x = torch.from_numpy(images).movedim(-1, 1).float()
    with pytest.raises(HeadmimeError, match="rehearsal=2"):
        fine_tune(nets, x, points, FineTuneSettings(rehearsal=2), perceptual)
