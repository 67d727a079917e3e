"""Opening and hashing files, atomic writes, and a lock for one writer at a time."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from headmime.errors import HeadmimeError


def open_file(path: Path | str) -> BinaryIO:
    """Open a file for reading. OSError as of `open`; also for pipes and devices, where a read may
    block for ever.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "a pipe or a device, not a file", str(path))
    return open(path, "rb")


def sha256(path: Path | str) -> str:
    """Hexadecimal sha256 of a file's bytes, read in blocks."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


PARTIAL = ".partial-"
"""Prefix of the names of unfinished files and folders."""
OF_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
SETTINGS = "settings.json"
"""What made the files of a folder; see `hold_folder`."""


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix, for a file or folder that is moved to
    `path` at the end. On an exception or Ctrl-C it is removed and `path` is unchanged; an OSError
    names `path`.
    """
    partial = path.with_name(f"{PARTIAL}{uuid.uuid4().hex}{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    except BaseException as error:
        remove(partial)
        if isinstance(error, OSError) and (
            error.filename == str(partial) or (not error.filename and error.errno in OF_WRITING)
        ):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def check_writable(
    path: Path, inputs: Iterable[str | Path] = (), key: str = "out", needed: int = 0
) -> None:
    """HeadmimeError unless a file of about `needed` bytes can be written at `path`, whose folder is
    made, and it is none of the `inputs` (under any name). Tried, since a full disk or a read-only
    one is not seen in permissions. Call it before expensive work.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if path.exists() and not path.is_file():  # /dev/null would be replaced by a file
            raise OSError(errno.EINVAL, "it is no regular file")
        with suppress(FileNotFoundError):
            path.lstat()  # raises for names that are too long
        trial = path.with_name(f"{PARTIAL}{uuid.uuid4().hex}")
        try:
            trial.write_bytes(bytes(4096))
        finally:
            remove(trial)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be encoded"
        raise HeadmimeError(
            f"{key}={path} cannot be written ({reason}): choose another name or folder."
        ) from error
    for file in inputs:
        if path.exists() and Path(file).exists() and path.samefile(file):
            raise HeadmimeError(f"{key}={path} is the input {file}: choose another name.")
    if needed > (free := shutil.disk_usage(path.parent).free):
        raise HeadmimeError(
            f"{key}={path} will have about {needed / 1e6:,.1f} MB, and its disk has"
            f" {free / 1e6:,.1f} MB free: free some space, or write to another disk."
        )


def remove(path: Path) -> None:
    """Remove a file or a folder with its contents, if it exists."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file atomically and durably (fsync). Bytes of file names that are no UTF-8 become
    escapes, which JSON reads back.
    """
    with write_atomically(path) as partial, open(partial, "wb") as file:
        file.write(text.encode("utf-8", "backslashreplace"))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def hold_lock(file: Path, out: Path, key: str = "out") -> Iterator[None]:
    """Hold the lock on `file` (created if missing) until the process ends. HeadmimeError, naming
    the output `out` and its configuration `key`, if another process holds it.
    """
    with open(file, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeadmimeError(
                f"Another process is writing {out}: wait for it, stop it, or choose another {key}=."
            ) from None
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextmanager
def hold_folder(folder: Path, settings: Mapping[str, Any], key: str) -> Iterator[None]:
    """Hold a folder whose files one set of `settings` (JSON values) makes: they are replaced when
    the same settings make them again. HeadmimeError, naming the folder's configuration `key`, if it
    holds those of others or another process writes there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record, text = folder / SETTINGS, json.dumps(settings, indent=1, sort_keys=True) + "\n"
    with hold_lock(folder / ".lock", folder, key):
        now = json.loads(text)
        before = json.loads(record.read_text("utf-8")) if record.is_file() else now
        if changed := [name for name, value in now.items() if before.get(name) != value]:
            raise HeadmimeError(
                f"{folder} holds what other settings made (of {', '.join(changed)}; see its"
                f" {SETTINGS}): choose another {key}=, or remove it."
            )
        yield
        write_text(record, text)
