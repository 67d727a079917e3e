"""Many shards and many videos: few open files, little memory; damage is a sentence."""

import json
import os
import resource
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.lib.recfunctions import repack_fields

from headmime.assets import ASSETS
from headmime.data.episodes import EpisodeDataset
from headmime.data.image_reader import read_image
from headmime.data.open_shards import OpenShards
from headmime.data.shards import ClipFrames, finish_store, write_shard
from headmime.data.store import Store
from headmime.errors import HeadmimeError

MakeClip = Callable[..., ClipFrames]
VIDEOS = 100_000


def open_files(folder: Path) -> int:
    """Files below a folder that this process has open."""
    links = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            links.append(os.readlink(link))
    return sum(link.startswith(f"{folder}/shard-") for link in links)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="Linux only")
def test_only_so_many_files_are_open(
    tmp_path: Path, clip: MakeClip, monkeypatch: pytest.MonkeyPatch
):
    for shard in range(40):
        write_shard(tmp_path, shard, [clip(shard + 1, 0, 0)])
    finish_store(tmp_path)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (24, 24))
    store = Store(tmp_path)
    random = np.random.default_rng(0)
    for number in random.integers(0, 40, 300).tolist():
        assert abs(int(store.frame(number, 2)[0, 0, 2]) - 40) <= 4
        assert open_files(tmp_path) <= 6  # 3 shards of 2 files: a quarter of 24
    del store
    assert open_files(tmp_path) == 0


def test_the_shards_used_last_stay_open(store_folder: Path):
    manifest = json.loads((store_folder / "manifest.json").read_text())
    shards = OpenShards(store_folder, manifest["shards"], most=1)
    first = shards[0]
    assert shards[0] is first
    shards[1]
    assert shards[0] is not first


def test_memory_does_not_grow_with_the_videos_but_for_their_offsets(tmp_path: Path, clip: MakeClip):
    """A hundred thousand videos that share one clip's frames: opened, ordered, drawn from."""
    write_shard(tmp_path, 0, [clip(1, 0, 0, 12)])
    finish_store(tmp_path)
    claim_many_videos(tmp_path)
    tracemalloc.start()
    dataset = EpisodeDataset(tmp_path, 8, 16, seed=0)
    for n in range(20):
        assert dataset[n * 7919]["x_s"].shape == (8, 3, 16, 16)
    held, _ = tracemalloc.get_traced_memory()
    for n in range(20):
        dataset.batch([n * 7919, 3])
    later, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(dataset) == VIDEOS
    assert held < 64 * VIDEOS
    assert later < held + 200_000


def claim_many_videos(folder: Path) -> None:
    row = np.load(folder / "clips.npy")[0]
    wider = [("person", "S9") if d[0] == "person" else d for d in row.dtype.descr]
    rows = np.empty(VIDEOS, repack_fields(np.dtype(wider)))
    for name in row.dtype.names:
        rows[name] = row[name]
    rows["person"] = np.char.zfill(np.arange(VIDEOS).astype("S9"), 9)
    np.save(folder / "clips.npy", rows)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["clips.npy"]["bytes"] = (folder / "clips.npy").stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def photo_store(
    tmp_path_factory: pytest.TempPathFactory, clip: MakeClip
) -> tuple[Store, np.ndarray]:
    """One clip of four parts of the bundled image, 64 pixels wide, and those images."""
    (file,) = (ASSETS / "images").glob("*.jpg")
    whole = cv2.resize(read_image(file), (128, 128), interpolation=cv2.INTER_AREA)
    images = np.stack([whole[y : y + 64, x : x + 64] for y in (0, 64) for x in (0, 64)])
    folder = tmp_path_factory.mktemp("photos")
    write_shard(folder, 0, [clip(1, 0, 0, frames=iter(images))])
    return finish_store(folder), images


@pytest.mark.parametrize("size", [64, 48, 32, 16, 8])
def test_smaller_sizes_are_as_averaged(photo_store: tuple[Store, np.ndarray], size: int):
    """By the decoder (halves, quarters, eighths) or by OpenCV: hardly any difference."""
    store, _ = photo_store
    whole = [store.frame(0, t) for t in range(4)]
    images = np.empty((4, size, size, 3), np.uint8)
    landmarks = store.read_into(images, [(0, t) for t in range(4)])
    np.testing.assert_array_equal(landmarks, store.landmarks(0))
    for image, large in zip(images, whole, strict=True):
        expected = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(image - expected).mean() < (1.2 if size in (32, 16, 8) else 1e-9)


def break_frame(
    folder: Path, change: Callable[[bytearray, int, int], None], clip: MakeClip
) -> Store:
    """A store whose second frame's bytes have been changed."""
    write_shard(folder, 0, [clip(1, 0, 0)])
    finish_store(folder)
    rows = np.load(folder / "shard-00000" / "frames.npy")
    file = folder / "shard-00000" / "frames.bin"
    content = bytearray(file.read_bytes())
    change(content, int(rows["offset"][1]), int(rows["bytes"][1]))
    file.write_bytes(content)
    return Store(folder)


def zeros(content: bytearray, start: int, count: int) -> None:
    content[start : start + count] = bytes(count)


def cut_short(content: bytearray, start: int, count: int) -> None:
    content[start + count // 2 : start + count] = bytes(count - count // 2)


def another_size(content: bytearray, start: int, count: int) -> None:
    """The height in the JPEG's frame header becomes 65,535: nobody may believe it."""
    place = content.index(b"\xff\xc0", start)
    content[place + 5 : place + 7] = b"\xff\xff"


@pytest.mark.parametrize("change", [zeros, cut_short, another_size])
def test_a_damaged_frame_is_named(
    tmp_path: Path, clip: MakeClip, change: Callable[[bytearray, int, int], None]
):
    store = break_frame(tmp_path, change, clip)
    store.frame(0, 0)
    for size in (16, 8):
        with pytest.raises(HeadmimeError, match="Frame 1 of clip 'clip 0' .* is damaged"):
            store.read_into([np.empty((size, size, 3), np.uint8)], [(0, 1)])


def test_a_damaged_table_is_named(tmp_path: Path, clip: MakeClip):
    write_shard(tmp_path, 0, [clip(1, 0, 0)])
    finish_store(tmp_path)
    file = tmp_path / "shard-00000" / "frames.npy"
    content = bytearray(file.read_bytes())
    content[-len(content) // 2 :] = b"\xff" * (len(content) // 2)  # offsets beyond the file
    file.write_bytes(content)
    with pytest.raises(HeadmimeError, match="is damaged"):
        Store(tmp_path).frame(0, 3)
    file.write_bytes(b"\x00" * len(content))
    with pytest.raises(HeadmimeError, match="frames.npy is damaged"):
        Store(tmp_path).frame(0, 0)
