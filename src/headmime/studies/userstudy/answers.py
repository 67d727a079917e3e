"""Answers of a study, in SQLite; each is on disk before the next triplet is shown."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

from headmime.errors import HeadmimeError

FILE = "answers.sqlite"
WAIT = 10.0
"""Timeout of a locked database, in seconds."""

TABLES = """
CREATE TABLE IF NOT EXISTS study (hash TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS annotators (
    annotator TEXT PRIMARY KEY,
    consented TEXT NOT NULL,
    withdrawn TEXT
);
CREATE TABLE IF NOT EXISTS answers (
    annotator TEXT NOT NULL REFERENCES annotators,
    triplet TEXT NOT NULL,
    picked TEXT NOT NULL,
    milliseconds INTEGER NOT NULL,
    answered TEXT NOT NULL,
    PRIMARY KEY (annotator, triplet)
);
"""


@dataclass(frozen=True)
class Answer:
    """`picked`: name of the image selected as generated, `milliseconds` after display."""

    annotator: str
    triplet: str
    picked: str
    milliseconds: int
    answered: str  # ISO 8601, UTC


class AlreadyAnswered(Exception):
    """The annotator has answered this triplet before."""


class Withdrawn(Exception):
    """The annotator withdrew: their answers are deleted and their code is retired."""


class Answers:
    """Database of answers; thread-safe, with one connection per call."""

    def __init__(self, path: Path, study_hash: str) -> None:
        self.path = path
        try:
            with self._connect() as connection:
                connection.executescript(TABLES)
                known = connection.execute("SELECT hash FROM study").fetchone()
                if known is None:
                    connection.execute("INSERT INTO study VALUES (?)", (study_hash,))
        except sqlite3.Error as error:
            raise HeadmimeError(f"{path} cannot be used for answers: {error}.") from error
        if known not in (None, (study_hash,)):
            raise HeadmimeError(
                f"{path} holds answers to another study: move it away, or prepare the study in a "
                "folder of its own."
            )

    def begin(self, annotator: str) -> None:
        """Register an annotator's consent; no effect if registered already."""
        with self._connect() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO annotators VALUES (?, ?, NULL)", (annotator, _now())
            )
            self._check(connection, annotator)

    def add(self, annotator: str, triplet: str, picked: str, milliseconds: int) -> None:
        """Store an answer permanently. AlreadyAnswered, Withdrawn; KeyError if not begun."""
        answer = Answer(annotator, triplet, picked, milliseconds, _now())
        with self._connect() as connection:
            self._check(connection, annotator)
            try:
                connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", astuple(answer))
            except sqlite3.IntegrityError:
                raise AlreadyAnswered(triplet) from None

    def answered(self, annotator: str) -> set[str]:
        """Return the triplets that an annotator has answered. Withdrawn; KeyError if not begun."""
        with self._connect() as connection:
            self._check(connection, annotator)
            rows = connection.execute(
                "SELECT triplet FROM answers WHERE annotator = ?", (annotator,)
            )
            return {triplet for (triplet,) in rows}

    def withdraw(self, annotator: str) -> None:
        """Delete an annotator's answers. KeyError if not begun."""
        with self._connect() as connection:
            self._check(connection, annotator)
            connection.execute("DELETE FROM answers WHERE annotator = ?", (annotator,))
            connection.execute(
                "UPDATE annotators SET withdrawn = ? WHERE annotator = ?", (_now(), annotator)
            )

    def all(self) -> list[Answer]:
        """Return all answers in chronological order."""
        with self._connect() as connection:
            rows = connection.execute("SELECT * FROM answers ORDER BY answered, rowid").fetchall()
        return [Answer(*row) for row in rows]

    def _check(self, connection: sqlite3.Connection, annotator: str) -> None:
        row = connection.execute(
            "SELECT withdrawn FROM annotators WHERE annotator = ?", (annotator,)
        ).fetchone()
        if row is None:
            raise KeyError(annotator)
        if row[0] is not None:
            raise Withdrawn(annotator)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """Open a connection; commit its transaction unless the block raises."""
        connection = sqlite3.connect(self.path, timeout=WAIT)
        try:
            connection.executescript("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;")
            with connection:
                yield connection
        finally:
            connection.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
