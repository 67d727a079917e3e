"""A run that goes on elsewhere: state kept on the CPU is read on the GPU, and back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from headmime.data.module import EpisodeData
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.landmarks.crop import Crop
from headmime.learning.averaging import MovingAverages
from headmime.learning.checkpoint_io import AtomicCheckpointIO
from headmime.learning.curriculum import Curriculum
from headmime.learning.divergence_monitor import DivergenceMonitor
from headmime.learning.meta import MetaLearning
from headmime.learning.resumption import Resumption
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape

pytestmark = pytest.mark.gpu
PEOPLE, BATCH = 6, 2


def clip(person: int, size: int) -> ClipFrames:
    rng = np.random.default_rng(person)
    return ClipFrames(
        person=f"person {person}",
        video="video",
        clip="clip",
        split="train",
        source=f"{person}.mp4",
        fps=25.0,
        crop=Crop(0.0, 0.0, 64.0),
        detector="dlib",
        frames=iter(rng.integers(0, 255, (4, size, size, 3), dtype=np.uint8)),
        landmarks=rng.uniform(0.2, 0.8, (4, 68, 2)).astype(np.float32),
        times=np.arange(4) / 25,
        scores=np.ones(4),
    )


@pytest.fixture
def train(
    tmp_path: Path, shape: ModelShape, perceptual: nn.Module
) -> Callable[[str, int], MetaLearning]:
    """Trains to the end of an epoch on a device, from the state that is there, and keeps it."""
    write_shard(tmp_path / "store", 0, (clip(k, shape.image_size) for k in range(PEOPLE)))
    finish_store(tmp_path / "store")
    state = tmp_path / "last.ckpt"

    def run(device: str, epochs: int) -> MetaLearning:
        data = EpisodeData(
            tmp_path / "store",
            sources=2,
            batch=BATCH,
            workers=0,
            seed=0,
            size=shape.image_size,
        )
        torch.manual_seed(0)
        weights = LossWeights(pixel=1, closeup=1)
        module = MetaLearning(build_nets(shape), data.videos, perceptual, weights, Optimisation())
        watch = DivergenceMonitor(data.validation_batch(2), state, stop=False)
        curriculum = Curriculum([], shape.image_size, 0, 0)
        trainer = pl.Trainer(
            accelerator="gpu" if device == "cuda" else device,
            devices=1,
            max_epochs=epochs,
            precision="32-true",
            plugins=[AtomicCheckpointIO()],
            callbacks=[curriculum, MovingAverages(10), watch, Resumption()],
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            use_distributed_sampler=False,
        )
        trainer.fit(module, datamodule=data, ckpt_path=state if state.is_file() else None)
        trainer.save_checkpoint(state)
        assert data.episodes == epochs * PEOPLE
        return module

    return run


def test_a_run_goes_on_on_the_other_kind_of_device(
    train: Callable[[str, int], MetaLearning], device: torch.device, tmp_path: Path
) -> None:
    """From the CPU to the device and back: every number is finite, and each part counted on."""
    for epochs, where in enumerate(("cpu", device.type, "cpu"), start=1):
        module = train(where, epochs)
        kept = torch.load(tmp_path / "last.ckpt", map_location="cpu", weights_only=True)
        assert all(t.isfinite().all() for t in kept["state_dict"].values())
        assert kept["loops"]["fit_loop"]["epoch_progress"]["current"]["completed"] == epochs
        assert (
            module.video_embeddings.updates == epochs * PEOPLE // BATCH * 2
        )  # two updates of D in each
