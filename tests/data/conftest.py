"""A small store of made-up clips; frame t of clip c of a video is recognisable by its colour."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.landmarks.crop import Crop

SIZE = 16


def made_up_clip(person: int, video: int, clip: int, n: int = 4, /, **changes) -> ClipFrames:
    """A clip of n frames, each of one colour: red is the person, green the video, blue the frame.

    `changes` replace what would be made up.
    """
    colours = [(20 * person, 60 * video, 100 * clip + 20 * t) for t in range(n)]
    images = [np.full((SIZE, SIZE, 3), colour, np.uint8) for colour in colours]
    random = np.random.default_rng((person, video, clip))
    values = {
        "person": f"person {person}",
        "video": f"video {video}",
        "clip": f"clip {clip}",
        "split": "test" if person == 0 else "train",
        "source": f"{person}-{video}-{clip}.mp4",
        "fps": 25.0,
        "crop": Crop(1.5, -2.25, 100.0),
        "detector": "dlib",
        "frames": iter(images),
        "landmarks": random.uniform(0, 1, (n, 68, 2)).astype(np.float32),
        "times": np.arange(n) / 25,
        "scores": np.full(n, 0.5),
    }
    return ClipFrames(**(values | changes))


@pytest.fixture(scope="session")
def clip() -> Callable[..., ClipFrames]:
    return made_up_clip


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 persons (person 0 is the test split) of 2 videos of 2 clips of 4 frames, in two shards."""
    folder = tmp_path_factory.mktemp("store")
    for shard, persons in enumerate([(7, 1, 4, 0), (3, 2, 6, 5)]):
        clips = (made_up_clip(p, v, c) for p in persons for v in (1, 0) for c in (0, 1))
        write_shard(folder, shard, clips)
    finish_store(folder)
    return folder
