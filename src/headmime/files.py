"""Opening what a user names."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_file(path: Path | str) -> BinaryIO:
    """Open a file for reading. OSError, as `open` raises it, also for pipes and devices: whoever
    reads them may wait for ever.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "a pipe or a device, not a file", str(path))
    return open(path, "rb")
