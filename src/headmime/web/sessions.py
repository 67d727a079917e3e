"""State and files of open browser tabs, deleted when a tab is closed."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from headmime.web.jobs import CachedPerson, JobResult
from headmime.web.progress import JobStopped
from headmime.web.request import Checked


@dataclass
class Session:
    """`folder`: thumbnails and results; `uploads`: the browser's files; `stop`: set to stop a job;
    `person`, `last`, `earlier`: person and result of the last job, and the result before it.
    `checked`: the person whose files are on the page.
    """

    folder: Path
    uploads: set[Path] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    person: CachedPerson | None = None
    last: JobResult | None = None
    earlier: JobResult | None = None
    checked: Checked | None = None

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

    def begin(self, name: str) -> Path:
        """Return a new folder for a job that starts now. The last result becomes the earlier one;
        older ones are deleted.

        Raises JobStopped if the tab was closed or Stop was pressed while the job was queued.
        """
        with self._lock:
            session = self._open.get(name)
            if session is None or session.stop.is_set():
                raise JobStopped
            session.earlier, session.last = session.last or session.earlier, None
            kept = session.earlier.file.parent if session.earlier else None
            for old in session.folder.glob("job-*"):
                if old != kept:
                    shutil.rmtree(old, ignore_errors=True)
            folder = session.folder / f"job-{uuid4().hex}"
            folder.mkdir(parents=True)
            return folder

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """While a job writes files: if the tab is closed, whatever fails is JobStopped, and no file
        is left.
        """
        session = self.find(name)
        try:
            yield
        except Exception as error:
            if self.find(name) is not session:
                raise JobStopped from error
            raise
        finally:
            if session is not None and self.find(name) is not session:
                shutil.rmtree(session.folder, ignore_errors=True)

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
