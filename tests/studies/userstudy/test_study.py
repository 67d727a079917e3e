"""What a prepared study is, and in which order it is shown."""

import random
from collections import Counter
from pathlib import Path

import pytest

from headmime.errors import HeadmimeError
from headmime.studies.userstudy.study import MAX_PAUSE, MIN_PAUSE, load_study

from .conftest import write_study


def test_a_study_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = write_study(tmp_path / "study", 3)
    assert load_study(tmp_path / "study") == written
    assert load_study(tmp_path / "study").hash == written.hash


def test_the_schedule_is_a_function_of_seed_and_annotator(study_folder: Path) -> None:
    study = load_study(study_folder)
    assert study.schedule("anna") == load_study(study_folder).schedule("anna")
    assert study.schedule("anna") != study.schedule("ben")
    random.seed(0)
    assert study.schedule("anna") == load_study(study_folder).schedule("anna")


def test_every_annotator_sees_every_triplet_once_in_an_own_order(study_folder: Path) -> None:
    study = load_study(study_folder)
    for annotator in ("anna", "ben"):
        trials = study.schedule(annotator)
        assert {trial.triplet for trial in trials} == set(study.by_id)
        for trial in trials:
            assert sorted(trial.images) == sorted(study.by_id[trial.triplet].images)
            assert MIN_PAUSE <= trial.pause_ms <= MAX_PAUSE
    assert [t.triplet for t in study.schedule("anna")] != [t.triplet for t in study.schedule("ben")]


def test_generated_pictures_are_equally_often_left_middle_and_right(study_folder: Path) -> None:
    study = load_study(study_folder)
    places = Counter(
        trial.images.index(study.by_id[trial.triplet].generated)
        for number in range(100)
        for trial in study.schedule(f"annotator {number}")
    )
    # 3000 draws: four standard deviations of a third are .034
    assert all(abs(places[place] / 3000 - 1 / 3) < 0.034 for place in range(3))


def test_neither_names_nor_pauses_tell_the_generated_picture(study_folder: Path) -> None:
    """The place of the generated name among its triplet's sorted names is as good as random."""
    study = load_study(study_folder)
    ranks = Counter(triplet.images.index(triplet.generated) for triplet in study.triplets)
    assert set(ranks) == {0, 1, 2} and max(ranks.values()) < 20


def test_what_is_no_study_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HeadmimeError, match="is not a prepared study"):
        load_study(tmp_path)
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(HeadmimeError, match="is damaged"):
        load_study(tmp_path)
    (tmp_path / "study.json").write_text('{"format": "something", "version": 1}')
    with pytest.raises(HeadmimeError, match="is not of format"):
        load_study(tmp_path)


def test_a_missing_picture_is_named(study_folder: Path) -> None:
    lost = next((study_folder / "pictures").iterdir())
    lost.unlink()
    with pytest.raises(HeadmimeError, match=lost.name):
        load_study(study_folder)
