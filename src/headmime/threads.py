"""Threads: how OpenMP's wait for each other, and no more of them than cores in worker processes."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WAIT_POLICY = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "3000"}
WAIT_VARIABLES = (*WAIT_POLICY, "KMP_BLOCKTIME")
COUNT_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def wait_passively() -> None:
    """Let OpenMP's threads sleep where they wait for each other, unless the user has said how.

    By default they spin for long, which beside other work costs many times the time and the CPU.
    GNU's library, which torch brings along, spins for a moment first: without, an idle machine
    would be slower (docs/bench.md). The library reads this when it loads, with torch: later it has
    no effect on this process, but on those that it starts.
    """
    if not any(name in os.environ for name in WAIT_VARIABLES):
        os.environ.update(WAIT_POLICY)


@contextmanager
def limit_child_threads(count: int) -> Iterator[None]:
    """Processes that are started meanwhile compute with `count` threads each (OpenMP, BLAS)."""
    before = {name: os.environ.get(name) for name in COUNT_VARIABLES}
    os.environ.update(dict.fromkeys(COUNT_VARIABLES, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def init_worker() -> None:
    """In a new worker process: OpenCV on one thread, Ctrl-C is the parent's to handle, and the
    process ends with its parent, however that ends.
    """
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    wait([parent_process().sentinel])
    os._exit(1)
