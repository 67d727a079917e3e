"""Create the animators of methods: models (personal ones are cached), baselines, frame folders.

`evaluation/method_table.py` lists the methods.
"""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import hydra.utils
import numpy as np
import torch
from torch import Tensor

from headmime.animate.model import Model, load
from headmime.animate.person import (
    REHEARSAL_FILE,
    animator,
    bundled_embeddings,
    personal_generator,
)
from headmime.benchmark.settings import RowSettings
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation import baselines
from headmime.evaluation.cache import digest
from headmime.evaluation.evaluate import Adapt
from headmime.evaluation.frame_folder import FrameFolder
from headmime.evaluation.method_table import METHODS
from headmime.evaluation.trials import resize_all
from headmime.files import sha256
from headmime.images import Animator
from headmime.learning.init_embeddings import (
    OWN,
    average_embedding,
    random_embedding,
    with_fixed_embedding,
)
from headmime.nets import Nets
from headmime.nets.checkpoint import Record, checkpoint_files, load_personal, save_personal
from headmime.nets.personal import PersonalGenerator
from headmime.provenance.origin import software_origin

PROTOCOL = "2"
"""Version of fine-tuning and inference, part of the keys of personal models and their rows.
Increment it when networks, losses, steps or landmark drawing change. (0.1.0 used a hash of source
files instead.)
"""

BASELINES: dict[str, Adapt | None] = {
    "copy": baselines.copy_first,
    "nearest": baselines.copy_nearest,
    "warp": baselines.warp_nearest,
    "mean": baselines.mean_frame,
    "real": None,
}


class Methods:
    """Methods for one store and one set of weights, loaded once."""

    def __init__(self, settings: RowSettings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.model = load(settings.weights, settings.device)
        self.side = self.model.shape.image_size
        self.size = settings.size or self.side

    @cached_property
    def model_ff(self) -> Model:
        """Model of feed-forward rows, which the paper meta-trains separately (`weights_ff`)."""
        weights = self.settings.weights_ff
        model = load(weights, self.settings.device) if weights else self.model
        if model.shape != self.model.shape:
            raise HeadmimeError(f"weights_ff={weights} are networks of another shape than weights.")
        return model

    def model_of(self, method: str) -> Model:
        """Return the meta-learned networks of "ff" or "ft"."""
        return self.model_ff if method == "ff" else self.model

    @cached_property
    def perceptual(self) -> Any:
        """The frozen networks of L_CNT, loaded at first use."""
        return hydra.utils.instantiate(self.settings.perceptual)

    @cached_property
    def folder(self) -> FrameFolder:
        """Folder of method=frames."""
        assert self.settings.frames is not None  # see `settings.check`
        return FrameFolder(Path(self.settings.frames).expanduser())

    def origin_of(self, method: str) -> dict[str, Any]:
        """Everything that a method's output depends on, besides the person's frames."""
        learned, tuned = METHODS[method].learned, method == "ft"
        parts = {
            "checkpoint": self.model_of(method).sha256 if learned else None,
            "model_code": PROTOCOL if learned else None,
            "finetune": self._fine_tuning() if tuned else None,
            "perceptual": self.perceptual.origin if tuned else None,
            "start": self.settings.start if tuned else None,
            "seed": self.settings.seed if tuned else 0,
        }
        return parts | ({"frames": self.folder.hash} if method == "frames" else {})

    def description(self, method: str, T: int) -> dict[str, Any]:
        """Everything that a method's images of T source frames depend on, besides the trials."""
        return {
            **self.settings.data(),
            "store": self.store.hash,
            "size": self.size,
            "method": method,
            "T": T,
            **self.origin_of(method),
        }

    def key(self, method: str) -> str:
        """Hash of `origin_of`."""
        return digest([method, *self.origin_of(method).values()])

    def adapt(self, method: str) -> Adapt | FrameFolder | None:
        """Return the adaptation function (frames, landmarks -> animator); None for "real", a folder
        for "frames". Model inputs and outputs are resized between the model's size and the row's.
        """
        if method == "frames":
            return self.folder
        if method in BASELINES:
            return BASELINES[method]
        key = self.key(method)

        def at_own_side(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
            own = resize_all(frames, self.side)
            if method == "ff":
                generator = personal_generator(self.model_ff.nets, own, landmarks, None)
            else:
                generator = self._fine_tuned(own, landmarks, key)
            animate = animator(generator, self.side)
            return lambda target: resize_all(animate(target), self.size)

        return at_own_side

    def adapt_to_anyone(self, method: str) -> Adapt:
        """`adapt` for methods that make frames of any landmarks."""
        adapt = self.adapt(method)
        if adapt is None or isinstance(adapt, FrameFolder):
            raise HeadmimeError(f"method={method} makes no frames of landmarks: leave it out.")
        return adapt

    def _fine_tuning(self) -> dict[str, Any]:
        finetune = self.settings.finetune
        rehearsal = (
            sha256(REHEARSAL_FILE) if finetune.rehearsal or self.settings.start != OWN else None
        )
        weights = {**asdict(finetune.weights), "matching": 10.0}  # 0.1.0 had it, without effect
        actual = {"bfloat16": finetune.autocasts(self._device), "weights": weights}
        return {**asdict(finetune), "rehearsal_frames": rehearsal, **actual}

    def _fine_tuned(self, frames: np.ndarray, landmarks: np.ndarray, key: str) -> PersonalGenerator:
        """Fine-tune on a person's frames, unless that was done before.

        The file's name is a hash of all that it depends on. Both the first and every later call
        return what was read from the file.
        """
        folder = Path(self.settings.memory).expanduser() / "people"
        stem = folder / digest(key, frames, landmarks)
        if not all(file.is_file() for file in checkpoint_files(stem)):
            nets, settings = self._nets_to_tune(frames), self.settings.finetune
            made = personal_generator(nets, frames, landmarks, settings, self.perceptual)
            record: Record = {"detector": self.store.detector, "origin": software_origin()}
            save_personal(stem, made, self.model.shape, record)
        return load_personal(stem)[0].eval().to(self._device)

    @property
    def _device(self) -> torch.device:
        return next(self.model.nets.generator.parameters()).device

    @cached_property
    def _others(self) -> Tensor:
        return bundled_embeddings(self.model.nets, self.side)

    def _nets_to_tune(self, frames: np.ndarray) -> Nets:
        """Whose embedder gives the start that the settings name; random is another for everyone."""
        start, nets = self.settings.start, self.model.nets
        if start == OWN:
            return nets
        if start == "average":
            return with_fixed_embedding(average_embedding(self._others), nets)
        seed = int(digest(self.settings.seed, frames)[:8], 16)
        return with_fixed_embedding(random_embedding(self._others, seed), nets)
