"""Wait policy of OpenMP's threads, available cores, number of threads in worker processes."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WAIT_POLICY = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "3000"}
WAIT_VARIABLES = (*WAIT_POLICY, "KMP_BLOCKTIME")
COUNT_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def wait_passively() -> None:
    """Set OpenMP's wait policy to passive (sleep), unless the user's environment has set one.

    The default, spinning, multiplies time and CPU use on a machine with other load. GNU's library,
    which comes with torch, spins briefly first: without that an idle machine would be slower
    (docs/reference/bench.md). The library reads the variables when it is loaded, with torch; later
    changes affect child processes only.
    """
    if not any(name in os.environ for name in WAIT_VARIABLES):
        os.environ.update(WAIT_POLICY)


def available_cores() -> int:
    """Number of cores that this process may use; on macOS, that of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limit_child_threads(count: int) -> Iterator[None]:
    """Processes started inside this context use `count` threads each (OpenMP, BLAS)."""
    before = {name: os.environ[name] for name in COUNT_VARIABLES if name in os.environ}
    os.environ.update(dict.fromkeys(COUNT_VARIABLES, str(count)))
    try:
        yield
    finally:
        for name in COUNT_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(before)


def init_worker() -> None:
    """Initialise a worker process: OpenCV on one thread, SIGINT ignored (the parent handles it),
    and exit when the parent process ends for any reason.
    """
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
