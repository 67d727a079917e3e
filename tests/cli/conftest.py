"""Small weights on disk, the bundled picture and a short motion."""

from pathlib import Path

import numpy as np
import pytest
import torch

from headmime.nets import build_nets
from headmime.nets.checkpoint import save_nets
from headmime.nets.shape import ModelShape


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory, tiny: ModelShape) -> Path:
    """The stem of an untrained checkpoint of 16 pixels."""
    torch.manual_seed(0)
    stem = tmp_path_factory.mktemp("weights") / "tiny"
    save_nets(stem, build_nets(tiny), tiny, {"detector": "dlib", "origin": {}})
    return stem


@pytest.fixture(scope="session")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A driving template of 9 frames at 12 a second: random points that move a little."""
    start = np.random.default_rng(0).uniform(0.3, 0.7, (1, 68, 2))
    landmarks = start + np.linspace(0, 0.05, 9)[:, None, None]
    path = tmp_path_factory.mktemp("motion") / "motion.npz"
    np.savez(path, landmarks=landmarks.astype(np.float32), fps=12.0, neutral=0)
    return path
