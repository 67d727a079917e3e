"""Opening what a user names; writing files whole, and folders by one process at a time."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from headmime.errors import HeadmimeError


def open_file(path: Path | str) -> BinaryIO:
    """Open a file for reading. OSError, as `open` raises it, also for pipes and devices: whoever
    reads them may wait for ever.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "a pipe or a device, not a file", str(path))
    return open(path, "rb")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, moved there if all goes well."""
    partial = path.with_name(f".{path.name}.partial")
    yield partial
    os.replace(partial, path)


@contextmanager
def locked(file: Path, out: Path) -> Iterator[None]:
    """Hold the lock `file`, made if missing, until this process ends in whatever way. HeadmimeError
    if another process holds it; `out`: what that one writes.
    """
    with open(file, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeadmimeError(
                f"Another process is writing {out}: wait for it, stop it, or choose another out=."
            ) from None
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
