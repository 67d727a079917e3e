"""The page's server, spoken to as its page does: these tests need no browser."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headmime.errors import HeadmimeError
from headmime.studies.userstudy.report import user_score
from headmime.studies.userstudy.server import StudyServer
from headmime.studies.userstudy.study import load_study

from .conftest import annotate, ask, guessing, knowing, post, serving, write_study


def test_guessing_annotators_find_a_third_and_an_oracle_all(study_folder: Path) -> None:
    study = load_study(study_folder)
    with serving(study_folder) as server:
        for number in range(10):
            assert annotate(server, f"guessing-{number}", guessing(number)) == 30
        answers = server.answers.all()
        guessed = user_score(study, answers, "ft_T8")
        assert guessed.answered == 300 and guessed.annotators == 10
        assert abs(guessed.value - 1 / 3) < 0.11  # four standard deviations
        assert guessed.wilson[0] < 1 / 3 < guessed.wilson[1]
        assert annotate(server, "oracle", knowing(study)) == 30
        known = user_score(study, server.answers.all()[300:], "ft_T8")
    assert (known.value, known.found, known.wilson[1]) == (1.0, 30, 1.0)


def test_a_restarted_server_goes_on_where_the_annotator_was(study_folder: Path) -> None:
    with serving(study_folder) as server:
        annotate(server, "anna", guessing(0), most=12)
        expected = post(server, "/api/next", annotator="anna")
    with serving(study_folder) as server:
        assert post(server, "/api/begin", annotator="anna", consent=True)["done"] == 12
        assert post(server, "/api/next", annotator="anna") == expected
        assert annotate(server, "anna", guessing(0)) == 18


def test_two_annotators_at_once_do_not_meet(study_folder: Path) -> None:
    with serving(study_folder) as server:
        for _ in range(15):
            annotate(server, "anna", guessing(1), most=2)
            annotate(server, "ben", guessing(2), most=1)
        assert len(server.answers.answered("anna")) == 30
        assert len(server.answers.answered("ben")) == 15


def test_a_second_answer_to_a_triplet_is_refused(study_folder: Path) -> None:
    with serving(study_folder) as server:
        post(server, "/api/begin", annotator="anna", consent=True)
        trial = post(server, "/api/next", annotator="anna")
        answer = {"annotator": "anna", "triplet": trial["triplet"], "milliseconds": 10}
        post(server, "/api/answer", **answer, picked=trial["pictures"][0])
        status, _, _ = ask(server, "POST", "/api/answer", answer | {"picked": trial["pictures"][1]})
        assert status == 409
        (kept,) = server.answers.all()
        assert trial["pictures"][0] == f"/picture/{kept.picked}.png"


def test_nothing_that_is_sent_tells_the_generated_picture(study_folder: Path) -> None:
    """Same length, same headers, same PNG structure, no metadata; the key is not served."""
    study = load_study(study_folder)
    with serving(study_folder) as server:
        post(server, "/api/begin", annotator="anna", consent=True)
        trial = post(server, "/api/next", annotator="anna")
        assert set(trial) == {"done", "triplets", "triplet", "pictures", "pause"}
        sent = [ask(server, "GET", picture) for picture in trial["pictures"]]
        for _, headers, body in sent:
            headers.pop("Date")
            assert headers == {**sent[0][1]} | {"Content-Length": str(len(body))}
            assert headers["Cache-Control"] == "no-store"
            assert chunks(body) == [b"IHDR", b"IDAT", b"IEND"]
        assert len({len(body) for _, _, body in sent}) == 1
        assert len({headers["Content-Length"] for _, headers, _ in sent}) == 1
        told = json.loads(ask(server, "GET", "/api/study")[2])
        assert set(told) == {"title", "triplets", "size", "sequences", "consent"}
        answer = {"triplet": trial["triplet"], "picked": trial["pictures"][0], "milliseconds": 1}
        assert post(server, "/api/answer", annotator="anna", **answer) == {}
        for path in ("/study.json", "/pictures/", "/picture/../study.json", "/answers.sqlite"):
            assert ask(server, "GET", path)[0] == 404, path
        for path in ("/", "/study.js", "/study.css", "/api/study"):
            text = ask(server, "GET", path)[2].decode()
            assert not any(triplet.generated in text for triplet in study.triplets)


def chunks(png: bytes) -> list[bytes]:
    """The names of a PNG's chunks, equal neighbours once."""
    names, place = [], 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4])
        name = png[place + 4 : place + 8]
        if not names or names[-1] != name:
            names.append(name)
        place += 12 + length
    return names


def test_it_is_bound_to_this_machine_alone(study_folder: Path) -> None:
    with serving(study_folder) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
    ids=str,
)
def test_other_sites_cannot_speak_to_it(study_folder: Path, headers: dict[str, str]) -> None:
    with serving(study_folder) as server:
        begin = {"annotator": "anna", "consent": True}
        assert ask(server, "POST", "/api/begin", begin, **headers)[0] == 403
        assert ask(server, "GET", "/", **headers)[0] == 403
        with pytest.raises(KeyError):
            server.answers.answered("anna")


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/api/begin", {"annotator": "anna"}, 400),
        ("/api/begin", {"annotator": "anna", "consent": "yes"}, 400),
        ("/api/begin", {"annotator": "an na", "consent": True}, 400),
        ("/api/begin", {"annotator": "a" * 33, "consent": True}, 400),
        ("/api/begin", ["anna"], 400),
        ("/api/begin", {"annotator": "a" * 5000}, 400),
        ("/api/next", {"annotator": "stranger"}, 401),
        ("/api/answer", {"annotator": "stranger"}, 401),
        ("/api/answer", {"annotator": "known", "triplet": "none", "picked": "x"}, 400),
        ("/api/nothing", {}, 404),
    ],
)
def test_what_is_no_question_of_the_page_gets_a_sentence(
    study_folder: Path, path: str, content: object, status: int
) -> None:
    with serving(study_folder) as server:
        post(server, "/api/begin", annotator="known", consent=True)
        told, _, body = ask(server, "POST", path, content)
        assert told == status and json.loads(body)["error"].endswith(".")


@pytest.mark.parametrize("milliseconds", [None, -1, 1.5, True, "9", 2**60])
def test_times_must_be_times(study_folder: Path, milliseconds: object) -> None:
    with serving(study_folder) as server:
        post(server, "/api/begin", annotator="anna", consent=True)
        trial = post(server, "/api/next", annotator="anna")
        answer = {"annotator": "anna", "triplet": trial["triplet"], "picked": trial["pictures"][0]}
        status, *_ = ask(server, "POST", "/api/answer", answer | {"milliseconds": milliseconds})
        assert status == 400 and not server.answers.all()


def test_who_brings_no_code_gets_one(study_folder: Path) -> None:
    with serving(study_folder) as server:
        codes = [
            post(server, "/api/begin", annotator="", consent=True)["annotator"] for _ in range(3)
        ]
        assert len(set(codes)) == 3 and all(len(code) == 6 for code in codes)


def test_withdrawn_answers_are_gone(study_folder: Path) -> None:
    with serving(study_folder) as server:
        annotate(server, "anna", guessing(0), most=3)
        post(server, "/api/withdraw", annotator="anna")
        assert not server.answers.all()
        begin = {"annotator": "anna", "consent": True}
        assert ask(server, "POST", "/api/begin", begin)[0] == 410


def test_the_page_is_told_where_pictures_come_from(tmp_path: Path) -> None:
    write_study(tmp_path / "study", 2, sequences="moments")
    with serving(tmp_path / "study", consent="We are A.\n\nYou may\nstop.\n") as server:
        told = json.loads(ask(server, "GET", "/api/study")[2])
    assert told["sequences"] == {"videos": 0, "clips": 0, "moments": 2}
    assert told["consent"] == ["We are A.", "You may stop."]


def test_a_port_in_use_is_named(study_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HeadmimeError, match=f"Port {port} cannot be used"):
            StudyServer(study_folder, port)


def test_serving_and_reporting_need_no_networks() -> None:
    program = (
        "import sys; import headmime.studies.userstudy.server;"
        "import headmime.studies.userstudy.report; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"
