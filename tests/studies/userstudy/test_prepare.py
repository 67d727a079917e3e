"""A study made from a store and animators, and how its pictures are encode."""

from collections import Counter
from io import BytesIO
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from PIL import Image

from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.images import Animator
from headmime.studies.userstudy.prepare import StudyRow, encode, prepare
from headmime.studies.userstudy.study import Study, image_path, load_study

from .test_triplets import MakeStore, case_of, make_store

__all__ = ["make_store"]


def grey(value: int, size: int = 16) -> StudyRow:
    """A method whose pictures are all alike but for their landmarks' mean."""

    def animator(case: int) -> Animator:
        return lambda asked: np.stack(
            [np.full((size, size, 3), value + case, np.uint8) for _ in asked]
        )

    return StudyRow(animator, {"value": value})


def a_study(folder: Path, store: Store, **changes: object) -> Study:
    cases = [case_of(store, video, sources=2, held_out=4) for video in range(0, 9, 3)]
    settings = {
        "rows": {"ft": grey(100), "ff": grey(200)},
        "size": 16,
        "count": 3,
        "title": "A study",
        "seed": 0,
    }
    return prepare(folder, store, cases, **(settings | changes))


def test_every_row_has_its_triplets_of_the_same_people(
    make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store(3, 3, 1, 8)
    study = a_study(tmp_path / "study", store)
    assert study == load_study(tmp_path / "study")
    shown = Counter((triplet.row, triplet.person) for triplet in study.triplets)
    assert set(shown.values()) == {1} and len(shown) == 6
    assert study.rows == {"ft": {"value": 100}, "ff": {"value": 200}}
    assert study.sequences == {"videos": 6, "clips": 0, "moments": 0}
    assert study.origin["store"] == store.hash


def test_the_generated_picture_is_the_rows_and_the_real_ones_are_the_stores(
    make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store(3, 3, 1, 8)
    study = a_study(tmp_path / "study", store)
    clips = {(c.person, c.video, c.clip): n for n, c in enumerate(store.clips)}
    for triplet in study.triplets:
        generated = Image.open(image_path(tmp_path / "study", triplet.generated))
        value = study.rows[triplet.row]["value"] + int(triplet.person[-1])
        assert abs(np.asarray(generated).astype(int) - value).max() <= 1
        for name, (video, clip, t) in zip(triplet.real, triplet.frames[1:], strict=True):
            stored = store.frame(clips[triplet.person, video, clip], t)
            kept = image_path(tmp_path / "study", name).read_bytes()
            assert kept == encode(stored)


def test_frames_are_brought_to_the_animators_size(make_store: MakeStore, tmp_path: Path) -> None:
    study = a_study(tmp_path / "study", make_store(3, 3, 1, 8), rows={"ft": grey(9, 8)}, size=8)
    sizes = {Image.open(file).size for file in (tmp_path / "study" / "pictures").iterdir()}
    assert sizes == {(8, 8)} and study.size == 8


def test_a_study_is_never_overwritten(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store(3, 3, 1, 8)
    a_study(tmp_path / "study", store)
    with pytest.raises(HeadmimeError, match="exists already"):
        a_study(tmp_path / "study", store)


def test_a_failure_leaves_nothing(make_store: MakeStore, tmp_path: Path) -> None:
    def animator(case: int) -> Animator:
        raise RuntimeError("no such person")

    store = make_store(3, 3, 1, 8)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RuntimeError, match="no such person"):
        a_study(tmp_path / "study", store, rows={"ft": StudyRow(animator, {})})
    assert sorted(tmp_path.iterdir()) == before


def test_without_three_frames_of_anybody_there_is_no_study(
    make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store(9, 1, 1, 3)
    with pytest.raises(HeadmimeError, match="three frames beside"):
        a_study(tmp_path / "study", store)


@hypothesis.given(strategies.integers(0, 2**32), strategies.sampled_from([8, 17, 64, 256]))
@hypothesis.settings(max_examples=20)
def test_every_picture_of_a_size_is_as_long(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    flat = np.full((size, size, 3), seed % 256, np.uint8)
    assert len(encode(noise)) == len(encode(flat))


def test_generated_pictures_lose_what_stored_ones_have_lost_already() -> None:
    rng = np.random.default_rng(0)
    grey = cv2.resize(rng.integers(0, 256, (32, 32, 1), dtype=np.uint8), (64, 64))
    sharp = np.repeat(grey[..., None], 3, axis=2)
    once = np.asarray(Image.open(BytesIO(encode(sharp))))
    twice = np.asarray(Image.open(BytesIO(encode(once))))
    change = [abs(a.astype(int) - b).mean() for a, b in ((once, sharp), (twice, once))]
    assert change[0] > 0.5 and change[1] < change[0] / 4
