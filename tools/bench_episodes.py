"""Episodes/s of one core, compared with decoding their images alone.

    python tools/bench_episodes.py                     generated stores of 64, 128 and 256 pixels
    python tools/bench_episodes.py STORE [SIZE ...]    your own store, at these sizes

Both numbers are the best of several alternating rounds, so that they see the same load.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from headmime.assets import ASSETS
from headmime.data.episodes import EpisodeDataset
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.landmarks.crop import Crop

SOURCES, BATCH, ROUNDS = 8, 8, 60
VIDEOS, FRAMES = 16, 24
GRAIN = {64: 0, 128: 0, 256: 0}  # 256: about 32 kB an image


def generated_store(folder: Path, size: int) -> Store:
    """Write a store of moving crops of the bundled image with camera noise, and one sitter's
    landmarks.
    """
    image = cv2.imread(str(ASSETS / "images" / "mona_lisa.jpg"))[..., ::-1]
    image = cv2.resize(image, (size * 9 // 8, size * 9 // 8), interpolation=cv2.INTER_AREA)
    with np.load(ASSETS / "motions" / "talk.npz", allow_pickle=False) as motion:
        landmarks = motion["landmarks"][:FRAMES].astype(np.float32)
    write_shard(folder, 0, (_clip(video, image, landmarks, size) for video in range(VIDEOS)))
    return finish_store(folder)


def _clip(video: int, image: np.ndarray, landmarks: np.ndarray, size: int) -> ClipFrames:
    random = np.random.default_rng(video)

    def frames() -> Iterator[np.ndarray]:
        for _ in landmarks:
            y, x = random.integers(0, size // 8, 2)
            grain = random.normal(0, GRAIN.get(size, 0), (size, size, 3))
            yield np.clip(image[y : y + size, x : x + size] + grain, 0, 255).astype(np.uint8)

    return ClipFrames(
        person=f"{video:02d}",
        video="0",
        clip="0",
        split="train",
        source="made up",
        fps=25.0,
        crop=Crop(0, 0, size),
        detector="dlib",
        frames=frames(),
        landmarks=landmarks,
        times=np.arange(len(landmarks)) / 25,
        scores=np.ones(len(landmarks)),
    )


def measure(store: Store, size: int) -> tuple[float, float]:
    """Seconds per episode: decoding its images only, and the whole episode."""
    dataset = EpisodeDataset(store, SOURCES, size, seed=0)
    numbers = list(range(BATCH))
    chosen = [dataset.frames_of(n)[1] for n in numbers]
    images = np.empty((SOURCES + 1, size, size, 3), np.uint8)

    def decode() -> None:
        for frames in chosen:
            store.read_into(images, frames)

    steps = (decode, lambda: dataset.batch(numbers))
    times = np.array([[_seconds(step) for step in steps] for _ in range(ROUNDS)])
    decoding, whole = (times.min(0) / BATCH).tolist()
    return decoding, whole


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> None:
    """Print one line per size."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    given, *sizes = sys.argv[1:] or [None]
    print(f"{SOURCES} sources and a target, batches of {BATCH}, one process")
    print("size  bytes an image  decoding alone  episodes/s  drawing and collating")
    with tempfile.TemporaryDirectory() as folder:
        for size in map(int, sizes or GRAIN):
            store = Store(given) if given else generated_store(Path(folder) / str(size), size)
            decoding, whole = measure(store, size)
            share = (whole - decoding) / decoding
            columns = (1 / decoding, 1 / whole, share)
            print(f"{size:4}{_bytes_per_image(store):17,.0f}", end="")
            print("{:12,.0f}/s {:11,.0f} {:+16.0%} of decoding".format(*columns))


def _bytes_per_image(store: Store) -> float:
    files = store.folder.glob("shard-*/frames.bin")
    return sum(file.stat().st_size for file in files) / int(store.frame_starts[-1])


if __name__ == "__main__":
    main()
