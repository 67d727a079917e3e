"""Answers are on disk at once, once, and only where they belong."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headmime.errors import HeadmimeError
from headmime.studies.userstudy.answers import AlreadyAnswered, Answers, Withdrawn


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers.sqlite", "a study")


def test_answers_are_there_when_the_file_is_opened_again(answers: Answers) -> None:
    answers.begin("anna")
    answers.add("anna", "one", "x", 1200)
    answers.add("anna", "two", "y", 800)
    (first, second) = Answers(answers.path, "a study").all()
    assert (first.annotator, first.triplet, first.picked, first.milliseconds) == (
        "anna",
        "one",
        "x",
        1200,
    )
    assert first.answered <= second.answered
    assert answers.answered("anna") == {"one", "two"}


def test_an_answer_survives_a_killed_process(answers: Answers) -> None:
    program = (
        "import os, sys; from pathlib import Path;"
        "from headmime.studies.userstudy.answers import Answers;"
        "answers = Answers(Path(sys.argv[1]), 'a study'); answers.begin('anna');"
        "answers.add('anna', 'one', 'x', 5); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(answers.path)])
    assert killed.returncode == -9
    assert [answer.triplet for answer in answers.all()] == ["one"]


def test_nobody_answers_a_triplet_twice(answers: Answers) -> None:
    answers.begin("anna")
    answers.begin("ben")
    answers.add("anna", "one", "x", 5)
    with pytest.raises(AlreadyAnswered):
        answers.add("anna", "one", "y", 5)
    answers.add("ben", "one", "y", 5)
    assert [answer.picked for answer in answers.all()] == ["x", "y"]


def test_of_many_answers_at_the_same_time_one_counts(answers: Answers) -> None:
    answers.begin("anna")

    def try_to_add(number: int) -> bool:
        try:
            answers.add("anna", "one", str(number), 5)
        except AlreadyAnswered:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(try_to_add, range(16))) == 1
    assert len(answers.all()) == 1


def test_only_who_has_agreed_can_answer(answers: Answers) -> None:
    with pytest.raises(KeyError):
        answers.add("nobody", "one", "x", 5)
    with pytest.raises(KeyError):
        answers.answered("nobody")


def test_answers_can_be_withdrawn_and_the_code_is_not_used_again(answers: Answers) -> None:
    for annotator in ("anna", "ben"):
        answers.begin(annotator)
        answers.add(annotator, "one", "a-telling-choice-of-" + annotator, 5)
    answers.withdraw("anna")
    assert [answer.annotator for answer in answers.all()] == ["ben"]
    for again in (answers.begin, answers.answered, answers.withdraw):
        with pytest.raises(Withdrawn):
            again("anna")
    with pytest.raises(Withdrawn):
        answers.add("anna", "two", "x", 5)
    assert b"a-telling-choice-of-anna" not in answers.path.read_bytes()


def test_answers_belong_to_one_study(answers: Answers) -> None:
    with pytest.raises(HeadmimeError, match="answers to another study"):
        Answers(answers.path, "another study")
    assert Answers(answers.path, "a study").all() == []


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_text("not a database, but long enough to be looked at" * 9)
    with pytest.raises(HeadmimeError, match="cannot be used for answers"):
        Answers(tmp_path / "answers.sqlite", "a study")
