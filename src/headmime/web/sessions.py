"""State and files of open browser tabs, deleted when a tab is closed."""

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from headmime.web.jobs import CachedPerson, JobResult, JobStopped


@dataclass
class Session:
    """`folder`: thumbnails and results; `uploads`: the browser's files; `stop`: set to stop a job;
    `person`, `last`: person and result of the last job.
    """

    folder: Path
    uploads: set[Path] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    person: CachedPerson | None = None
    last: JobResult | None = None

    @property
    def results(self) -> Path:
        """Folder of the last job's files."""
        return self.folder / "results"

    @property
    def thumbnails(self) -> Path:
        """Folder of thumbnails."""
        return self.folder / "thumbnails"


class Sessions:
    """Open tabs, by gradio's session hash. `results`: parent of the session folders."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def get_or_create(self, name: str) -> Session:
        """Return the session of an active tab; create it if it is new."""
        with self._lock:
            if name not in self._open:
                self._open[name] = Session(self.results / uuid4().hex)
            return self._open[name]

    def find(self, name: str) -> Session | None:
        """Return the session if its tab is open, else None."""
        with self._lock:
            return self._open.get(name)

    def begin(self, name: str) -> Session:
        """Return the session for a job that starts now; its old results are deleted.

        Raises JobStopped if the tab was closed or Stop was pressed while the job was queued.
        """
        with self._lock:
            session = self._open.get(name)
            if session is None or session.stop.is_set():
                raise JobStopped
            shutil.rmtree(session.results, ignore_errors=True)
            session.results.mkdir(parents=True)
            return session

    def close(self, name: str) -> None:
        """Stop the session's job; delete its results, and uploads that no other tab uses."""
        with self._lock:
            session = self._open.pop(name, None)
            if session is None:
                return
            session.stop.set()
            elsewhere = {file for other in self._open.values() for file in other.uploads}
            for file in session.uploads - elsewhere:
                file.unlink(missing_ok=True)
            shutil.rmtree(session.folder, ignore_errors=True)
