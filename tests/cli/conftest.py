"""Small weights on disk, a store of random frames, the bundled picture and a short motion."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from headmime.cli import main
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.landmarks.crop import Crop
from headmime.nets import build_nets
from headmime.nets.checkpoint import save_nets
from headmime.nets.shape import ModelShape

SIZE = 16
TINY = [
    "model.image_size=16",
    "model.width=4",
    "model.max_width=8",
    "model.generator_levels=2",
    "model.bottleneck_blocks=1",
    "model.attention_down=8",
    "model.attention_up=8",
    "sources=2",
    "batch=2",
    "workers=0",
    "log_every=1",
    "validation.episodes=4",
    "trainer.limit_train_batches=3",
    "trainer.max_time=null",
    "trainer.precision=32-true",  # runs are compared to the last bit, and in float32 to float64
    "trainer.enable_progress_bar=false",
    "sitters=null",
]


@pytest.fixture(scope="session")
def tiny_run() -> list[str]:
    """Words that make `headmime train` a run of seconds."""
    return TINY


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people to train on and one to test: 4 random frames each."""
    folder = tmp_path_factory.mktemp("store")
    write_shard(folder, 0, (clip(person) for person in range(7)))
    finish_store(folder)
    return folder


@pytest.fixture
def store_32(tmp_path: Path) -> Path:
    """The same with frames of 32 pixels."""
    write_shard(tmp_path / "store_32", 0, (clip(person, size=32) for person in range(7)))
    finish_store(tmp_path / "store_32")
    return tmp_path / "store_32"


def clip(person: int, frames: int = 4, size: int = SIZE) -> ClipFrames:
    rng = np.random.default_rng(person)
    return ClipFrames(
        person=f"person {person}",
        video="video",
        clip="clip",
        split="test" if person == 0 else "train",
        source=f"{person}.mp4",
        fps=25.0,
        crop=Crop(0.0, 0.0, 64.0),
        detector="dlib",
        frames=iter(rng.integers(0, 255, (frames, size, size, 3), dtype=np.uint8)),
        landmarks=rng.uniform(0.2, 0.8, (frames, 68, 2)).astype(np.float32),
        times=np.arange(frames) / 25,
        scores=np.ones(frames),
    )


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


@pytest.fixture
def train(
    store: Path, tiny_run: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run `headmime train -cn cpu_meta` in an empty folder; returns the exit code."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *words: str, epochs: int = 1) -> int:
        where = [f"store={store}", f"hydra.run.dir={tmp_path / name}"]
        return main(
            ["train", "-cn", "cpu_meta", *tiny_run, *where, f"trainer.max_epochs={epochs}", *words]
        )

    return run
