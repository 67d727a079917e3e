"""A runner with a tiny model, its page, and files to drop on it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings
from headmime.nets import Nets
from headmime.nets.checkpoint import save_nets
from headmime.nets.shape import ModelShape
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.jobs import JobRunner


@pytest.fixture(scope="session")
def dlib() -> Detector:
    return load_detector("dlib")


@pytest.fixture
def make_runner(
    nets: Nets, tiny: ModelShape, perceptual: nn.Module, dlib: Detector, tmp_path: Path
) -> Callable[..., JobRunner]:
    """A runner, or a kind of one, with untrained networks and three steps of fine-tuning."""
    save_nets(tmp_path / "tiny", nets, tiny, {"detector": "dlib"})

    def make(kind: type[JobRunner] = JobRunner) -> JobRunner:
        return kind(
            weights=str(tmp_path / "tiny.safetensors"),
            device="cpu",
            finetune=FineTuneSettings(epochs=1, minimum_steps=3),
            perceptual=lambda: perceptual,
            detector=dlib,
            marks=ProvenanceOptions(),
        )

    return make


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A picture without a face."""
    pixels = np.random.default_rng(0).integers(0, 255, (120, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    return tmp_path / "noise.png"
