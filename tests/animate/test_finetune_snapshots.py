"""One fine-tuning seen at several moments is the fine-tunings of these lengths."""

import numpy as np
import pytest
import torch
from torch import nn

from headmime.animate.finetune_snapshots import PARTS, animators_at, with_frozen
from headmime.animate.person import adapt
from headmime.errors import HeadmimeError
from headmime.learning.finetune import FineTuneSettings, fine_tune
from headmime.nets import Nets
from headmime.pixels import to_tensor

SETTINGS = FineTuneSettings(epochs=7, batch=2, lr_generator=1e-2, lr_psi=1e-2)


@pytest.fixture
def person() -> tuple[np.ndarray, np.ndarray]:
    """Two frames uint8 [2, 16, 16, 3] and their landmarks."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (2, 16, 16, 3), dtype=np.uint8)
    return frames, rng.uniform(0.2, 0.8, (2, 68, 2)).astype(np.float32)


def test_each_moment_is_a_fine_tuning_of_that_length(
    nets: Nets, person: tuple[np.ndarray, np.ndarray], perceptual: nn.Module
) -> None:
    found = animators_at([0, 1, 3], nets, *person, SETTINGS, perceptual)
    assert list(found) == [0, 1, 3]
    pictures = {step: animator(person[1]) for step, animator in found.items()}
    for step, seen in pictures.items():
        length = FineTuneSettings(0, step, batch=2, lr_generator=1e-2, lr_psi=1e-2)
        alone = adapt(nets, *person, length if step else None, perceptual)
        assert np.array_equal(seen, alone(person[1]))
    assert not np.array_equal(pictures[1], pictures[3])


def test_frozen_parts_stay_and_the_others_learn(
    nets: Nets, person: tuple[np.ndarray, np.ndarray], perceptual: nn.Module
) -> None:
    held = with_frozen(nets, ["down", "to_rgb"])
    x = to_tensor(person[0])
    after = fine_tune(held, x, person[1], SETTINGS, perceptual).generator.synthesis
    for part in PARTS:
        pairs = zip(
            getattr(after, part).parameters(),
            getattr(nets.generator.synthesis, part).parameters(),
            strict=True,
        )
        alike = [torch.equal(one, other) for one, other in pairs]
        assert all(alike) if part in ("down", "to_rgb") else not any(alike)
    assert all(p.requires_grad for p in nets.generator.parameters())  # the given ones are as before


def test_psi_alone_can_learn(
    nets: Nets, person: tuple[np.ndarray, np.ndarray], perceptual: nn.Module
) -> None:
    held = with_frozen(nets, PARTS)
    found = animators_at([0, 3], held, *person, SETTINGS, perceptual)
    assert not np.array_equal(found[0](person[1]), found[3](person[1]))


def test_a_part_that_is_none_is_named(nets: Nets) -> None:
    with pytest.raises(HeadmimeError, match="frozen=head is no part of G; choose of down, same"):
        with_frozen(nets, ["head"])
