"""Stores rendered or carried in pieces become one."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop

FILE = Path(__file__).parents[2] / "tools" / "join_shards.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("join_shards", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def piece(folder: Path, *people: int) -> Path:
    """A store of one shard for each person, whose one frame is of the person's own grey."""
    for number, person in enumerate(people):
        clip = ClipFrames(
            person=str(person),
            video="0",
            clip="0",
            split="train",
            source="made up",
            fps=25.0,
            crop=Crop(0, 0, 16),
            detector="dlib",
            frames=[np.full((16, 16, 3), 50 * person, np.uint8)],
            landmarks=np.random.default_rng(person).uniform(0, 1, (1, 68, 2)),
            times=np.zeros(1),
            scores=np.ones(1),
        )
        write_shard(folder, number, [clip])
    finish_store(folder)
    return folder


def test_everybody_is_in_the_joined_store(tool: ModuleType, tmp_path: Path) -> None:
    pieces = [piece(tmp_path / "a", 3, 1), piece(tmp_path / "b", 2, 4)]
    joined = tool.join(tmp_path / "joined", pieces)
    assert [person for person, _ in joined.videos] == ["1", "2", "3", "4"]
    assert [int(joined.frame(clip, 0)[0, 0, 0]) for clip in range(4)] == [50, 100, 150, 200]
    of_2 = Store(tmp_path / "b").landmarks(0)
    assert np.array_equal(joined.landmarks(1), of_2)
    assert [Store(folder).n for folder in pieces] == [2, 2]


def test_nobody_is_joined_twice(tool: ModuleType, tmp_path: Path) -> None:
    a = piece(tmp_path / "a", 1)
    with pytest.raises(HeadmimeError, match="Clip 1/0/0 occurs twice"):
        tool.join(tmp_path / "joined", [a, a])
    with pytest.raises(HeadmimeError, match="exists already"):
        tool.join(a, [a])
