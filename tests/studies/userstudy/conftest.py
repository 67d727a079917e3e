"""A study of plain pictures, served, and annotators without a browser."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headmime.studies.userstudy.prepare import encode
from headmime.studies.userstudy.server import StudyServer
from headmime.studies.userstudy.study import IMAGES, Study, Triplet, image_path

SIZE = 32
Choose = Callable[[dict[str, Any]], str]
"""What `/api/next` answered -> the picture that is picked."""


def write_study(folder: Path, triplets: int, sequences: str = "videos") -> Study:
    """A study whose generated pictures are darker: the human eye can tell, names cannot."""
    (folder / IMAGES).mkdir(parents=True)
    rng = np.random.default_rng(0)

    def picture(low: int) -> str:
        name = rng.bytes(8).hex()
        pixels = rng.integers(low, low + 100, (SIZE, SIZE, 3), dtype=np.uint8)
        image_path(folder, name).write_bytes(encode(pixels))
        return name

    study = Study(
        title="Which is which?",
        seed=5,
        size=SIZE,
        rows={"ft_T8": {"T": 8}},
        triplets=tuple(
            Triplet(
                id=rng.bytes(8).hex(),
                row="ft_T8",
                person=f"person {number}",
                sequences=sequences,
                generated=picture(0),
                real=(picture(120), picture(120)),
                frames=(("a", "0", 1), ("b", "0", 2), ("c", "0", 3)),
            )
            for number in range(triplets)
        ),
        left_out={},
        origin={},
    )
    (folder / "study.json").write_text(study.to_json())
    return study


@pytest.fixture
def study_folder(tmp_path: Path) -> Path:
    """30 triplets."""
    folder = tmp_path / "study"
    write_study(folder, 30)
    return folder


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[StudyServer]:
    """The study's server, at work in a thread."""
    with StudyServer(folder, **options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(
    server: StudyServer, method: str, path: str, content: Any = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        body = None if content is None else json.dumps(content)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def post(server: StudyServer, path: str, **content: Any) -> dict[str, Any]:
    """The answer to a question of the page's, which must be welcome."""
    status, _, body = ask(server, "POST", path, content)
    assert status == 200, body
    return json.loads(body)


def annotate(server: StudyServer, code: str, choose: Choose, most: int = 10**6) -> int:
    """Answer until there is no triplet left, or `most` are answered; return how many were."""
    post(server, "/api/begin", annotator=code, consent=True)
    for count in range(most):
        trial = post(server, "/api/next", annotator=code)
        if "triplet" not in trial:
            return count
        answer = {"triplet": trial["triplet"], "picked": choose(trial), "milliseconds": 900}
        post(server, "/api/answer", annotator=code, **answer)
    return most


def guessing(seed: int) -> Choose:
    """An annotator who does not look."""
    draw = random.Random(seed)
    return lambda trial: draw.choice(trial["pictures"])


def knowing(study: Study) -> Choose:
    """An annotator who knows the key."""
    return lambda trial: f"/picture/{study.by_id[trial['triplet']].generated}.png"
