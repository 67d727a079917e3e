"""Work in a forked process, within limits of time and memory: imports are paid once."""

import faulthandler
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import IO

from headmime.errors import HeadmimeError

WALL = 120.0  # seconds beyond the limit of CPU time, for what sleeps for ever
ROOM = 6 << 30  # bytes of address space beyond the parent's
OK, REFUSED, TRACEBACK, HANG, DIED = "ok", "refused", "traceback", "hang", "died"
PAGE = resource.getpagesize()
CODES = {OK: 0, REFUSED: 3, TRACEBACK: 4}


@dataclass(frozen=True)
class Outcome:
    """What became of the work. `words`: the sentence or the traceback; `seconds` of CPU time;
    `megabytes`: peak memory beyond the parent's.
    """

    kind: str
    words: str
    seconds: float
    megabytes: float


def run_forked(work: Callable[[], object], cpu_seconds: float) -> Outcome:
    """Run `work` in a fork of this process: HeadmimeError is a refusal, all else a traceback."""
    with tempfile.TemporaryFile("w+", errors="backslashreplace") as words, mmap(-1, 8) as start:
        sys.stdout.flush(), sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _run(work, words, start, cpu_seconds)
        watch = threading.Timer(cpu_seconds + WALL, os.kill, (child, signal.SIGXCPU))
        watch.start()
        _, status, usage = os.wait4(child, 0)
        watch.cancel()
        _kill_group(child)  # its own children, if any are left
        words.seek(0)
        said = words.read().strip()
        before = int.from_bytes(start[:], "little")
    code = os.waitstatus_to_exitcode(status)
    hung = code in (-signal.SIGXCPU, -signal.SIGKILL)
    kind = next((k for k, c in CODES.items() if c == code), HANG if hung else DIED)
    megabytes = max(0, usage.ru_maxrss * 1024 - before) / 1e6
    return Outcome(kind, said or f"exit code {code}", usage.ru_utime + usage.ru_stime, megabytes)


def _run(work: Callable[[], object], words: IO[str], start: mmap, cpu_seconds: float) -> None:
    code = CODES[TRACEBACK]
    try:
        os.setsid()
        for stream in (1, 2):
            os.dup2(words.fileno(), stream)
        sys.stdout = sys.stderr = words
        faulthandler.register(signal.SIGXCPU, file=words, chain=True)  # says where it hangs
        faulthandler.enable(words)
        limit = int(time.process_time() + cpu_seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        used, resident = (PAGE * int(n) for n in Path("/proc/self/statm").read_text().split()[:2])
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM,) * 2)
        start[:] = resident.to_bytes(8, "little")
        work()
        code = CODES[OK]
    except HeadmimeError as error:
        words.seek(0), words.truncate()
        words.write(str(error))
        code = CODES[REFUSED]
    except BaseException:
        words.write(traceback.format_exc())
    finally:
        try:
            words.flush()
        finally:
            os._exit(code)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
