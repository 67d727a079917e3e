"""One person's model at several moments of one fine-tuning: for those who measure its length."""

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
"""What G's shared weights consist of (`Synthesis`), from landmarks to picture."""


def animators_at(
    steps: Sequence[int],
    nets: Nets,
    frames: np.ndarray,
    landmarks: np.ndarray,
    settings: FineTuneSettings,
    perceptual: Frozen,
) -> dict[int, Animator]:
    """Fine-tune once, for the largest of `steps` updates; the person as after each of them.

    Arguments as for `personal_generator`; the length that `settings` say is not used. 0 is the
    feed-forward model.
    """
    size = frames.shape[1]
    start = animator(personal_generator(nets, frames, landmarks, None), size)
    kept = {0: start} if 0 in steps else {}

    def keep(done: int, person: Personal) -> None:
        if done in steps:
            kept[done] = animator(person.generator, size)

    length = replace(settings, epochs=0, minimum_steps=max(steps))
    personal_generator(nets, frames, landmarks, length, perceptual, on_person=keep)
    return kept


def with_frozen(nets: Nets, parts: Sequence[str]) -> Nets:
    """The same networks, of which fine-tuning leaves these PARTS of the generator as they are."""
    check_parts(parts)
    generator = deepcopy(nets.generator)
    for part in parts:
        getattr(generator.synthesis, part).requires_grad_(False)
    return nets._replace(generator=generator)


def check_parts(parts: Sequence[str]) -> None:
    """HeadmimeError for what is not among PARTS."""
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise HeadmimeError(f"frozen={unknown[0]} is no part of G; choose of {', '.join(PARTS)}.")
