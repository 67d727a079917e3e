"""What a store is said to hold, and whether damage to it is found."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headmime.data.inspection import (
    COLUMNS,
    TILE,
    contact_sheet,
    histogram,
    summarise,
    verify_store,
)
from headmime.data.store import Store
from headmime.errors import HeadmimeError


def test_counts(store_folder: Path):
    """8 persons (one for tests) of 2 videos of 2 clips of 4 frames."""
    summary = summarise(Store(store_folder))
    assert summary.splits == {"test": (1, 2, 4, 16), "train": (7, 14, 28, 112)}
    assert (summary.size, summary.detector) == (16, "dlib")
    np.testing.assert_array_equal(summary.frames, np.full(16, 8))
    np.testing.assert_array_equal(summary.scores, np.full(32, 0.5, np.float32))
    assert summary.turns.shape == (128,)
    files = (path for path in store_folder.rglob("*") if path.is_file())
    assert summary.bytes == sum(len(path.read_bytes()) for path in files)


def test_histogram():
    lines = list(histogram(np.array([0, 0, 0, 0, 1, 2]), bins=3, width=8))
    assert [line.split()[-2:] for line in lines] == [["########", "4"], ["##", "1"], ["##", "1"]]
    assert len(list(histogram(np.full(5, 0.5)))) == 1


def test_contact_sheet(store_folder: Path):
    """Red is the person: each video's image is where it should be, its drawing at its side."""
    sheet = contact_sheet(Store(store_folder))
    rows = -(-16 // COLUMNS)
    assert sheet.shape == (rows * TILE, COLUMNS * 2 * TILE, 3) and sheet.dtype == np.uint8
    for video in range(16):
        row, column = divmod(video, COLUMNS)
        tile = sheet[row * TILE :, column * 2 * TILE :][:TILE, : 2 * TILE]
        assert abs(tile[:, :TILE, 0].mean() - 20 * (video // 2)) < 4
        assert tile[:, TILE:].max() > 200


FILES = ["clips.npy", *(f"shard-0000{k}/{n}" for k in (0, 1) for n in ("frames.bin", "clips.json"))]


@pytest.fixture
def copy(store_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(store_folder, tmp_path / "copy"))


def test_a_whole_store(store_folder: Path):
    seen = []
    assert verify_store(store_folder, lambda *step: seen.append(step)) == []
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1] > 1000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(
    store_folder: Path, copy: Path, name: str, place: float, bit: int
):
    file = copy / name
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    file.write_bytes(content)
    (damage,) = verify_store(copy)
    shutil.copy(store_folder / name, file)
    assert damage.startswith(f"{file} has changed")


def test_every_damaged_file_is_named(copy: Path):
    (copy / "shard-00000/frames.npy").unlink()
    with open(copy / "shard-00001/frames.bin", "ab") as file:
        file.write(b"x")
    (copy / "clips.npy").write_bytes(b"")
    damages = verify_store(copy)
    assert len(damages) == 3
    assert "clips.npy has 0 bytes" in damages[0]
    assert "shard-00000/frames.npy cannot be read (No such file or directory)" in damages[1]
    assert "shard-00001/frames.bin has" in damages[2]


def test_a_changed_manifest(copy: Path):
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"frames": 5, "detector": "face-alignment"}))
    damages = verify_store(copy)
    assert [damage.split(": ")[0] for damage in damages] == [
        f"{path} says 5 frames, clips.npy 128.",
        f"{path} says 'face-alignment' detector, clips.npy 'dlib'.",
    ]
    for broken in ("{", "[]", "[[1, 2, 3]]", json.dumps(manifest | {"files": 3})):
        path.write_text(broken)
        with pytest.raises(HeadmimeError, match="manifest.json is (damaged|not of format)"):
            verify_store(copy)
    del manifest["shards"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(HeadmimeError, match=r"damaged \(no 'shards'\)"):
        verify_store(copy)


def test_what_is_no_store(tmp_path: Path):
    with pytest.raises(HeadmimeError, match="not a finished clip store"):
        verify_store(tmp_path / "nowhere")
