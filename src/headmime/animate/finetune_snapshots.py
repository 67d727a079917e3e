"""Snapshots of one person's model during fine-tuning, to evaluate its length."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np

from headmime.animate.person import animator, personal_generator
from headmime.errors import HeadmimeError
from headmime.images import Animator
from headmime.learning.finetune import FineTuneSettings
from headmime.nets import Nets
from headmime.nets.personal import Personal
from headmime.pretrained.frozen import Frozen

PARTS = ("down", "same", "up", "to_rgb")
"""Groups of G's shared weights (`Synthesis`), from input to output."""


def animators_at(
    steps: Sequence[int],
    nets: Nets,
    frames: np.ndarray,
    landmarks: np.ndarray,
    settings: FineTuneSettings,
    perceptual: Frozen,
) -> dict[int, Animator]:
    """Fine-tune once, for max(`steps`) updates; return the animator after each of `steps`.

    Arguments as for `personal_generator`; the length in `settings` is ignored. Step 0 is the
    feed-forward model.
    """
    size = frames.shape[1]
    start = animator(personal_generator(nets, frames, landmarks, None), size)
    snapshots = {0: start} if 0 in steps else {}

    def on_person(done: int, person: Personal) -> None:
        if done in steps:
            snapshots[done] = animator(person.generator, size)

    length = replace(settings, epochs=0, minimum_steps=max(steps))
    personal_generator(nets, frames, landmarks, length, perceptual, on_person=on_person)
    return snapshots


def with_frozen(nets: Nets, parts: Sequence[str]) -> Nets:
    """Copy the networks with these PARTS of the generator frozen during fine-tuning."""
    check_parts(parts)
    generator = deepcopy(nets.generator)
    for part in parts:
        getattr(generator.synthesis, part).requires_grad_(False)
    return nets._replace(generator=generator)


def check_parts(parts: Sequence[str]) -> None:
    """Raise HeadmimeError for a name that is not in PARTS."""
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise HeadmimeError(f"frozen={unknown[0]} is no part of G; choose of {', '.join(PARTS)}.")
