"""The animators of table rows, user studies and figures: loaded once, personal models kept."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import hydra.utils
import numpy as np
import torch
from torch import Tensor

import headmime.animate.person
import headmime.landmarks
import headmime.learning.closeup
import headmime.learning.finetune
import headmime.learning.jitter
import headmime.learning.rehearsal
import headmime.learning.starts
import headmime.losses
import headmime.nets
import headmime.pixels
import headmime.precision
from headmime.animate.model import Model, load
from headmime.animate.person import (
    REHEARSAL_FILE,
    Animator,
    animator,
    bundled_embeddings,
    personal_generator,
)
from headmime.animate.person_cache import cached_generator
from headmime.cli.row_settings import BASELINES, MODELS, Evaluate
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.evaluate import Adapt
from headmime.evaluation.memory import code_digest, digest
from headmime.evaluation.trials import resized
from headmime.learning.finetune import FineTuneSettings
from headmime.learning.starts import OWN, average_embedding, random_embedding, starting_from
from headmime.nets import Nets
from headmime.nets.personal import PersonalGenerator
from headmime.pretrained.weights import sha256
from headmime.provenance.origin import software_origin

MODEL_CODE = (
    headmime.landmarks,
    headmime.nets,
    headmime.losses,
    headmime.pixels,
    headmime.precision,
    headmime.learning.closeup,
    headmime.learning.finetune,
    headmime.learning.jitter,
    headmime.learning.rehearsal,
    headmime.learning.starts,
    headmime.animate.person,
)


class Animators:
    """From a method's name to `adapt`: models behind the settings' weights, and baselines."""

    def __init__(self, settings: Evaluate, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.model = load(settings.weights, settings.device)
        self.side = self.model.shape.image_size
        self.size = settings.size or self.side
        self._code = code_digest(MODEL_CODE)

    @cached_property
    def model_ff(self) -> Model:
        """What feed-forward rows use: the paper meta-trains them apart (`weights_ff`)."""
        weights = self.settings.weights_ff
        model = load(weights, self.settings.device) if weights else self.model
        if model.shape != self.model.shape:
            raise HeadmimeError(f"weights_ff={weights} are networks of another shape than weights.")
        return model

    def model_of(self, method: str) -> Model:
        """The meta-learned networks behind "ff" or "ft"."""
        return self.model_ff if method == "ff" else self.model

    @cached_property
    def perceptual(self) -> Any:
        """The frozen networks of L_CNT, loaded at first use."""
        return hydra.utils.instantiate(self.settings.perceptual)

    def made_of(self, method: str) -> dict[str, Any]:
        """All that a method's animators depend on beside a person's frames."""
        learns, tunes = method in MODELS, method == "ft"
        return {
            "checkpoint": self.model_of(method).sha256 if learns else None,
            "model_code": self._code if learns else None,
            "finetune": self._fine_tuning() if tunes else None,
            "perceptual": self.perceptual.origin if tunes else None,
            "start": self.settings.start if tunes else None,
            "seed": self.settings.seed if tunes else 0,
        }

    def key(self, method: str) -> str:
        """A hash of that."""
        return digest([method, *self.made_of(method).values()])

    def adapt(self, method: str) -> Adapt | None:
        """Frames and landmarks of a person -> animator; None for "real", the true frames. A model
        sees frames of its own side, and its images are brought to that of the row.
        """
        if method in BASELINES:
            return BASELINES[method]
        key = self.key(method)

        def at_own_side(frames: np.ndarray, points: np.ndarray) -> Animator:
            own = resized(frames, self.side)
            made = (
                self._animator(self._generator(own, points, None))
                if method == "ff"
                else self._fine_tuned(own, points, key)
            )
            return lambda asked: resized(made(asked), self.size)

        return at_own_side

    def _fine_tuning(self) -> dict[str, Any]:
        uses_frames = self.settings.finetune.rehearsal or self.settings.start != OWN
        rehearsal = sha256(REHEARSAL_FILE) if uses_frames else None
        tuned = {**asdict(self.settings.finetune), "rehearsal_frames": rehearsal}
        return tuned | {"bfloat16": self.settings.finetune.autocasts(self._device)}  # as it is here

    def _fine_tuned(self, frames: np.ndarray, landmarks: np.ndarray, key: str) -> Animator:
        record = {"detector": self.store.detector, "origin": software_origin()}
        generator = cached_generator(
            Path(self.settings.memory).expanduser() / "people",
            digest(key, frames, landmarks),
            lambda: self._generator(frames, landmarks, self.settings.finetune),
            self.model.shape,
            record,
        )
        return self._animator(generator.to(self._device))

    @property
    def _device(self) -> torch.device:
        return next(self.model.nets.generator.parameters()).device

    def _generator(
        self, frames: np.ndarray, landmarks: np.ndarray, settings: FineTuneSettings | None
    ) -> PersonalGenerator:
        if settings is None:
            return personal_generator(self.model_ff.nets, frames, landmarks, None)
        nets = self._nets_to_tune(frames)
        return personal_generator(nets, frames, landmarks, settings, self.perceptual)

    @cached_property
    def _others(self) -> Tensor:
        return bundled_embeddings(self.model.nets, self.side)

    def _nets_to_tune(self, frames: np.ndarray) -> Nets:
        """Whose embedder gives the start that the settings name; random is another for everyone."""
        start, nets = self.settings.start, self.model.nets
        if start == OWN:
            return nets
        if start == "average":
            return starting_from(average_embedding(self._others), nets)
        seed = int(digest(self.settings.seed, frames)[:8], 16)
        return starting_from(random_embedding(self._others, seed), nets)

    def _animator(self, generator: PersonalGenerator) -> Animator:
        return animator(generator, self.side)
