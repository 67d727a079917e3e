"""A store in which the colour of a frame says what it is, and a FigureContext of it."""

from pathlib import Path

import numpy as np
import pytest

from headmime.data.protocol import Case
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.evaluation.baselines import copy_first, copy_nearest
from headmime.evaluation.plots.scene import FigureContext
from headmime.evaluation.trials import Trial, self_trials
from headmime.landmarks.crop import Crop

SIZE, FRAMES = 16, 8


def colour(person: int, clip: int, t: int) -> tuple[int, int, int]:
    """Of every pixel of that frame."""
    return (60 + 60 * person, 60 + 60 * clip, 20 + 25 * t)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two persons, one video of two clips of eight frames each."""
    rng = np.random.default_rng(0)
    clips = (
        ClipFrames(
            person=f"person {person}",
            video="0",
            clip=str(clip),
            split="test",
            source="made up",
            fps=12.5,
            crop=Crop(0, 0, 100),
            detector="dlib",
            frames=[np.full((SIZE, SIZE, 3), colour(person, clip, t), np.uint8) for t in range(8)],
            landmarks=rng.uniform(0.2, 0.8, (FRAMES, 68, 2)),
            times=np.arange(FRAMES) / 12.5,
            scores=np.ones(FRAMES),
        )
        for person in range(2)
        for clip in range(2)
    )
    write_shard(tmp_path / "store", 0, clips)
    return finish_store(tmp_path / "store")


@pytest.fixture
def trials(store: Store) -> list[Trial]:
    """Sources from the first clip of each, held-out frames from the second."""
    cases = [
        Case(
            video, tuple((2 * video, t) for t in range(4)), ((2 * video + 1, 2), (2 * video + 1, 5))
        )
        for video in range(2)
    ]
    return self_trials(store, cases)


@pytest.fixture
def figure_context(store: Store) -> FigureContext:
    """Two methods that show source frames."""
    return FigureContext(store, SIZE, "absolute", {"copy": copy_first, "nearest": copy_nearest})


def is_colour(picture: np.ndarray, person: int, clip: int, t: int) -> bool:
    """Whether a picture is that frame, but for JPEG."""
    return bool(np.abs(picture.astype(int) - colour(person, clip, t)).max() <= 4)
