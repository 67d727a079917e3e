"""The unit of work: one shard, written by one process, from its files and settings alone.

The folder `.work` of the unfinished store has, for every shard, a note of the refused parts
(written before the shard appears) and the number of the current file (in case the process dies).
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import cv2

from headmime.data.preprocess.clips import ClipSettings, Note, read_source
from headmime.data.preprocess.layouts import Refusal, Source
from headmime.data.shards import ClipFrames, shard_path, write_shard
from headmime.errors import HeadmimeError
from headmime.files import write_text
from headmime.landmarks.faces import Detector

WORK = ".work"
BEFORE_ANY = -1
DEATHS = 2  # processes that die at the same file before it is skipped


@dataclass(frozen=True)
class Task:
    """A shard to be written. detector: `_target_` (a name) and keyword arguments, as pairs. deaths:
    the numbers of the files at which processes died.
    """

    number: int
    root: Path
    out: Path
    sources: tuple[Source, ...]
    clip_settings: ClipSettings
    detector: tuple[tuple[str, Any], ...]
    deaths: tuple[int, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the shard exists."""
        return shard_path(self.out, self.number).exists()

    @property
    def note(self) -> Path:
        """Path of the shard's note."""
        return self.out / WORK / f"note-{self.number:05d}.json"

    @property
    def mark(self) -> Path:
        """Path of the file with the number of the current source."""
        return self.out / WORK / f"at-{self.number:05d}"

    def after_death(self) -> "Task":
        """The task for the next process after one died. HeadmimeError if processes repeatedly die
        before they read a file.
        """
        try:
            at = int(self.mark.read_text())
        except (FileNotFoundError, ValueError):
            at = BEFORE_ANY
        self.mark.unlink(missing_ok=True)
        deaths = (*self.deaths, at)
        if deaths.count(BEFORE_ANY) > DEATHS:
            raise HeadmimeError(
                f"The processes that write {self.out} die before they read a file: is there memory "
                "enough for workers= of them?"
            )
        return replace(self, deaths=deaths)


def read_note(task: Task) -> Note:
    """Read the note of a finished shard."""
    content = json.loads(task.note.read_text())
    refused = [
        Refusal(one["file"], one["reason"], one["seconds"] and tuple(one["seconds"]))
        for one in content["refused"]
    ]
    return Note(refused, content["looked_at"])


def write_task(task: Task) -> None:
    """Write the task's shard unless it exists."""
    if task.done:
        return
    cv2.setNumThreads(1)  # one process per core
    try:
        write_shard(task.out, task.number, _clips(task), task.clip_settings.quality)
    except (OSError, HeadmimeError):
        if not task.done:  # else another process, presumed dead, has written it
            raise
    task.mark.unlink(missing_ok=True)


def _clips(task: Task) -> Iterator[ClipFrames]:
    """Yield the shard's clips, then write its note (before the shard appears)."""
    detector = _detector(task.detector)
    note = Note([], 0)
    for number, source in enumerate(task.sources):
        task.mark.write_text(str(number))
        if task.deaths.count(number) >= DEATHS:
            note.refused.append(Refusal(source.file, f"ended {DEATHS} processes that read it"))
            continue
        source_note = yield from read_source(task.root, source, task.clip_settings, detector)
        note = Note(note.refused + source_note.refused, note.looked_at + source_note.looked_at)
    write_text(task.note, json.dumps(asdict(note), indent=1) + "\n")


@lru_cache(maxsize=1)
def _detector(keys: tuple[tuple[str, Any], ...]) -> Detector:
    """Load the detector, once per process."""
    settings = dict(keys)
    return resolve_name(settings.pop("_target_"))(**settings)
