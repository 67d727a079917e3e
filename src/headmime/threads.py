"""Threads: how OpenMP's wait for each other, and no more of them than cores in worker processes."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "3000"}
ASKED = (*WAITING, "KMP_BLOCKTIME")
COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def wait_passively() -> None:
    """Let OpenMP's threads sleep where they wait for each other, unless the user has said how.

    By default they spin for long, which beside other work costs many times the time and the CPU.
    GNU's library, which torch brings along, spins for a moment first: without, an idle machine
    would be slower (docs/reference/bench.md). The library reads this when it loads, with torch:
    later it has no effect on this process, but on those that it starts.
    """
    if not any(name in os.environ for name in ASKED):
        os.environ.update(WAITING)


@contextmanager
def threads_of_children(count: int) -> Iterator[None]:
    """Processes that are started meanwhile compute with `count` threads each (OpenMP, BLAS)."""
    before = {name: os.environ.get(name) for name in COUNTS}
    os.environ.update(dict.fromkeys(COUNTS, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def start_worker() -> None:
    """In a new worker process: OpenCV on one thread, Ctrl-C is the parent's to handle, and the
    process ends with its parent, however that ends.
    """
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
