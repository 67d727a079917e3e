"""What belongs to an open tab, and goes when it is closed."""

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from headmime.web.jobs import CachedPerson, JobResult, JobStopped


@dataclass
class Session:
    """`folder`: thumbnails and results; `uploads`: the browser's files; `stop`: set to stop a job;
    `kept`, `last`: the last one's person, and what it made.
    """

    folder: Path
    uploads: set[Path] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    kept: CachedPerson | None = None
    last: JobResult | None = None

    @property
    def results(self) -> Path:
        """The folder of the last job's files."""
        return self.folder / "results"

    @property
    def seen(self) -> Path:
        """The folder of thumbnails."""
        return self.folder / "seen"


class Sessions:
    """Open tabs by the browser's name for them. `results`: a folder for folders of their own."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def get_or_create(self, name: str) -> Session:
        """The session of somebody who does something, begun if it is new."""
        with self._lock:
            if name not in self._open:
                self._open[name] = Session(self.results / uuid4().hex)
            return self._open[name]

    def find(self, name: str) -> Session | None:
        """The session, if its tab is open."""
        with self._lock:
            return self._open.get(name)

    def begin(self, name: str) -> Session:
        """The session, for a job whose turn has come; its old results are deleted.

        Raises Stopped if the tab was closed, or Stop was pressed, while the job waited.
        """
        with self._lock:
            session = self._open.get(name)
            if session is None or session.stop.is_set():
                raise JobStopped
            shutil.rmtree(session.results, ignore_errors=True)
            session.results.mkdir(parents=True)
            return session

    def close(self, name: str) -> None:
        """Stop the session's job; delete its results, and uploads that no other tab has, too."""
        with self._lock:
            session = self._open.pop(name, None)
            if session is None:
                return
            session.stop.set()
            elsewhere = {file for other in self._open.values() for file in other.uploads}
            for file in session.uploads - elsewhere:
                file.unlink(missing_ok=True)
            shutil.rmtree(session.folder, ignore_errors=True)
