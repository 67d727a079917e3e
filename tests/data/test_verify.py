"""Whatever is changed in a store is found and named."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headmime.data.verify import verify_store
from headmime.errors import HeadmimeError

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
    with pytest.raises(HeadmimeError, match=r"damaged \(no shards\)"):
        verify_store(copy)


def test_what_is_no_store(tmp_path: Path):
    with pytest.raises(HeadmimeError, match="not a finished clip store"):
        verify_store(tmp_path / "nowhere")
