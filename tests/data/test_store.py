"""What goes into a store comes out, in an order of its own, or is refused with a reason."""

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.recfunctions import repack_fields

from headmime.data.shards import ClipFrames, finish_store, shard_path, write_shard
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import Crop
from headmime.landmarks.points import EYE_L, EYE_R, NOSE_TIP

MakeClip = Callable[..., ClipFrames]
names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12
) | st.just(b"caf\xe9.mp4".decode("utf-8", "surrogateescape"))


def test_clips_are_numbered_by_person_video_and_clip(store_folder: Path):
    store = Store(store_folder)
    keys = [(clip.person, clip.video, clip.clip) for clip in store.clips]
    assert len(keys) == 32 and keys == sorted(keys)
    assert store.videos == sorted({key[:2] for key in keys})
    for video, key in enumerate(store.videos):
        assert [keys[clip][:2] for clip in store.clips_of(video)] == [key, key]
    assert [store.videos[v][0] for v in store.videos_in("test")] == ["person 0", "person 0"]
    assert len(store.videos_in("train")) == 14 and not len(store.videos_in("elsewhere"))


def test_images_landmarks_and_records_come_back(store_folder: Path, clip: MakeClip):
    store = Store(store_folder)
    index = [c.source for c in store.clips].index("3-1-1.mp4")
    given_in, record = clip(3, 1, 1), store.clip(index)
    for t, image in enumerate(given_in.frames):
        assert np.abs(store.frame(index, t).astype(int) - image).max() <= 4  # JPEG
        np.testing.assert_array_equal(store.landmarks_at(index, t), store.landmarks(index)[t])
    np.testing.assert_allclose(store.landmarks(index), given_in.landmarks, atol=3e-4)
    assert store.landmarks(index).dtype == np.float32
    np.testing.assert_array_equal(store.times(index), given_in.times)
    np.testing.assert_array_equal(store.scores(index), given_in.scores)
    assert (record.person, record.split, record.detector) == ("person 3", "train", "dlib")
    assert (record.crop, record.fps, record.frames) == (Crop(1.5, -2.25, 100.0), 25.0, 4)


def test_quality_measures_are_those_of_the_clip(tmp_path: Path, clip: MakeClip):
    """Eyes 0.2 apart in a box of 100 pixels: a face of 40. The nose moves by 0.2 of that."""
    points = np.full((3, 68, 2), 0.5)
    points[:, EYE_R, 0], points[:, EYE_L, 0] = 0.4, 0.6
    points[2, NOSE_TIP, 0] = 0.58
    board = (np.indices((16, 16)).sum(0) % 2 * 255).astype(np.uint8)
    frames = [np.stack([board] * 3, -1)] * 3
    write_shard(tmp_path, 0, [clip(0, 0, 0, 3, landmarks=points, frames=frames), clip(1, 0, 0)])
    finish_store(tmp_path)
    lively, flat = np.load(tmp_path / "clips.npy")
    assert lively["sharpness"] > 1000 and flat["sharpness"] == 0
    assert lively["face"] == pytest.approx(40)
    assert lively["turn"] == pytest.approx((0, 0.2))


def test_a_store_of_version_1_is_read_without_quality_measures(store_folder: Path, tmp_path: Path):
    folder = shutil.copytree(store_folder, tmp_path / "store")
    rows, measures = np.load(folder / "clips.npy"), ["sharpness", "face", "turn"]
    kept = [name for name in rows.dtype.names if name not in measures]
    np.save(folder / "clips.npy", repack_fields(rows[kept]))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["version"] = 1
    manifest["files"]["clips.npy"]["bytes"] = (folder / "clips.npy").stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))
    record = Store(folder).clip(3)
    assert record.frames == 4


def test_a_frame_that_is_not_there_is_an_error_not_the_next_clip(store_folder: Path):
    for t in (-1, 4):
        with pytest.raises(IndexError):
            Store(store_folder).frame(0, t)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    person=names,
    video=names,
    source=names,
    landmarks=hnp.arrays(np.float32, (2, 68, 2), elements=st.floats(-1, 2, width=16)),
    box=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(1, 1e4)),
)
def test_any_names_and_numbers_come_back(
    tmp_path: Path, clip: MakeClip, person, video, source, landmarks, box
):
    """Landmarks that float16 can hold are exact; names may be anything a file system allows."""
    folder = tmp_path / "store"
    shutil.rmtree(folder, ignore_errors=True)
    changes = {"person": person, "video": video, "source": source, "crop": Crop(*box)}
    write_shard(folder, 0, [clip(0, 0, 0, 2, landmarks=landmarks, **changes)])
    record = finish_store(folder).clip(0)
    assert (record.person, record.video, record.source) == (person, video, source)
    assert record.crop == Crop(*box)
    np.testing.assert_array_equal(Store(folder).landmarks(0), landmarks)


def test_the_bytes_do_not_depend_on_who_wrote_first(tmp_path: Path, clip: MakeClip):
    hashes = []
    for order in ((0, 1, 2), (2, 0, 1)):
        folder = tmp_path / f"store {order}"
        for shard in order:
            write_shard(folder, shard, [clip(shard, 0, 0)])
        hashes.append(finish_store(folder).hash)
    assert hashes[0] == hashes[1]


def test_the_manifest_has_the_hash_of_every_file(store_folder: Path):
    manifest = json.loads((store_folder / "manifest.json").read_text())
    assert (manifest["format"], manifest["version"]) == ("headmime clip store", 2)
    assert (manifest["clips"], manifest["videos"], manifest["persons"]) == (32, 16, 8)
    assert manifest["frames"] == 128
    listed = {store_folder / name: record for name, record in manifest["files"].items()}
    for shard in manifest["shards"]:
        for name, record in shard["files"].items():
            listed[store_folder / shard["name"] / name] = record
    present = {file for file in store_folder.rglob("*") if file.is_file()}
    assert present == {*listed, store_folder / "manifest.json"}
    for file, record in listed.items():
        assert record["bytes"] == file.stat().st_size
        assert record["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_store_can_be_sent_to_another_process(store_folder: Path):
    store = Store(store_folder)
    store.frame(0, 0)
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).frame(5, 2), store.frame(5, 2))


def test_a_shard_that_fails_leaves_nothing(tmp_path: Path, clip: MakeClip):
    def clips():
        yield clip(0, 0, 0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(tmp_path, 0, clips())
    assert not list(tmp_path.iterdir())


def test_a_killed_writer_does_not_hinder_the_next(tmp_path: Path, clip: MakeClip):
    left_behind = tmp_path / ".partial-shard-00000.0"
    left_behind.mkdir()
    (left_behind / "frames.bin").write_bytes(b"half")
    assert write_shard(tmp_path, 0, [clip(0, 0, 0)]) == shard_path(tmp_path, 0)
    assert finish_store(tmp_path).n == 1 and not left_behind.exists()


def test_a_shard_may_be_empty_but_not_the_store(tmp_path: Path, clip: MakeClip):
    write_shard(tmp_path, 0, [])
    with pytest.raises(HeadmimeError, match="no clips"):
        finish_store(tmp_path)
    write_shard(tmp_path, 1, [clip(0, 0, 0)])
    assert finish_store(tmp_path).frame(0, 0).shape == (16, 16, 3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "occurs twice"),
        ({"clip": "other", "split": "train"}, "in two splits"),
        ({"clip": "other", "detector": "face-alignment"}, "mixes clips of detector dlib, face"),
        (
            {"clip": "other", "frames": iter(np.zeros((4, 32, 32, 3), np.uint8))},
            "mixes clips of size 16, 32",
        ),
    ],
)
def test_shards_that_do_not_fit_together(tmp_path: Path, clip: MakeClip, changes: dict, words: str):
    write_shard(tmp_path, 0, [clip(0, 0, 0)])
    write_shard(tmp_path, 1, [clip(0, 0, 0, **changes)])
    with pytest.raises(HeadmimeError, match=words):
        finish_store(tmp_path)


def test_a_shard_is_never_overwritten(store_folder: Path, clip: MakeClip):
    with pytest.raises(HeadmimeError, match="exists already"):
        write_shard(store_folder, 0, [clip(9, 0, 0)])


@pytest.mark.parametrize(
    "changes",
    [
        {"landmarks": np.full((4, 68, 2), np.nan)},
        {"landmarks": np.zeros((3, 68, 2))},
        {"scores": np.zeros(3)},
        {"frames": iter(np.zeros((3, 16, 16, 3), np.uint8))},
        {"frames": iter(np.zeros((4, 16, 12, 3), np.uint8))},
        {"frames": iter(np.zeros((4, 16, 16, 3), np.float32))},
    ],
)
def test_a_clip_that_contradicts_itself(tmp_path: Path, clip: MakeClip, changes: dict):
    with pytest.raises(ValueError):
        write_shard(tmp_path, 0, [clip(0, 0, 0, **changes)])


def test_what_is_not_a_store(tmp_path: Path, store_folder: Path):
    with pytest.raises(HeadmimeError, match=r"not a finished clip store.*manifest\.json"):
        Store(tmp_path / "nowhere")
    (tmp_path / "manifest.json").write_text('{"format": "headmime clip store", "version": 3}')
    with pytest.raises(HeadmimeError, match="version 2"):
        Store(tmp_path)
    (tmp_path / "manifest.json").write_text("not json")
    with pytest.raises(HeadmimeError, match=r"manifest\.json"):
        Store(tmp_path)


def test_damage_is_named(store_folder: Path, tmp_path: Path):
    folder = shutil.copytree(store_folder, tmp_path / "store")
    images = folder / "shard-00000" / "frames.bin"
    whole = images.read_bytes()
    images.write_bytes(b"\0" * len(whole))
    with pytest.raises(HeadmimeError, match="is damaged"):
        Store(folder).frame(0, 0)
    images.write_bytes(whole[:-1])
    with pytest.raises(HeadmimeError, match=r"frames\.bin is damaged"):
        Store(folder).frame(0, 0)
    (folder / "clips.npy").unlink()
    with pytest.raises(HeadmimeError, match=r"clips\.npy is damaged"):
        Store(folder)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    place=st.sampled_from(
        [
            *(("size",), ("detector",), ("files",), ("files", "clips.npy"), ("shards",)),
            *(("files", "clips.npy", "bytes"), ("shards", 0), ("shards", 0, "name")),
            *(("shards", 0, "files"), ("shards", 0, "files", "frames.npy", "bytes")),
        ]
    ),
    value=json_values,
)
def test_any_value_in_a_manifest_is_read_or_named(
    store_folder: Path, tmp_path: Path, place: tuple, value: object
):
    folder = tmp_path / "store"
    if not folder.exists():
        shutil.copytree(store_folder, folder)
    manifest = json.loads((store_folder / "manifest.json").read_text())
    within = manifest
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = value
    (folder / "manifest.json").write_text(json.dumps(manifest))
    try:
        store = Store(folder)
        store.landmarks(0), store.frame(0, 0)
    except HeadmimeError as error:
        assert "store" in str(error) and "\n" not in str(error)


def test_a_damaged_table_is_named(store_folder: Path, tmp_path: Path, failing: Path):
    """Of its header, or with clips that cannot be."""
    folder = shutil.copytree(store_folder, tmp_path / "store")
    path = folder / "clips.npy"
    rows = np.load(path)
    tables = [(failing / "found" / "header_not_python.npy").read_bytes()]
    for key, value in (("frames", 0), ("frames", -1), ("shard", 2), ("shard", -1), ("first", -1)):
        changed = rows.copy()
        changed[key][3] = value
        tables.append(to_bytes(changed))
    tables.append(to_bytes(rows[:0]))
    tables.append(to_bytes(repack_fields(rows[[n for n in rows.dtype.names if n != "video"]])))
    for table in tables:
        path.write_bytes(table)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["clips.npy"]["bytes"] = len(table)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(HeadmimeError, match=r"clips\.npy is damaged"):
            Store(folder)
    whole = json.loads((store_folder / "manifest.json").read_text())
    whole["shards"][0]["name"] = "x" * 300
    (folder / "manifest.json").write_text(json.dumps(whole))
    shutil.copy(store_folder / "clips.npy", path)
    with pytest.raises(HeadmimeError, match=r"frames\.bin is damaged"):
        Store(folder).landmarks(0)
    changed = rows.copy()
    changed["first"][0] = 10**6
    path.write_bytes(to_bytes(changed))
    manifest["files"]["clips.npy"]["bytes"] = path.stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(HeadmimeError, match=r"frames\.npy is damaged"):
        Store(folder).landmarks(0)


def to_bytes(array: np.ndarray) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()
