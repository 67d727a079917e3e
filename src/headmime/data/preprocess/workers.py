"""Runs shard tasks in processes of this machine, or of several machines with Ray.

A killed process does not stop the run. On a cluster all machines need headmime, and the data set
and the store under the same paths.
"""

import logging
import multiprocessing
import socket
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from headmime.data.preprocess.shard_tasks import Task, write_task
from headmime.errors import HeadmimeError
from headmime.threads import init_worker, limit_child_threads


def run_local(tasks: Iterable[Task], on_done: Callable[[Task], None], workers: int) -> None:
    """Write the shards of all tasks with `workers` processes; on_done(task) after each.

    A task whose process dies is repeated. HeadmimeError for an error that affects all tasks, such
    as a missing detector or a full disk.
    """
    queue = deque(tasks)
    busy: dict[Connection, tuple[BaseProcess, Task]] = {}
    idle = [_start_worker() for _ in range(min(workers, len(queue)))]
    try:
        while queue or busy:
            while queue and idle:
                process, connection = idle.pop()
                task = queue.popleft()
                busy[connection] = (process, task)
                with suppress(BrokenPipeError):  # a dead process is handled below, at recv
                    connection.send(task)
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                process, task = busy.pop(connection)
                try:
                    answer = connection.recv()
                except (EOFError, ConnectionResetError):
                    process.join()
                    connection.close()
                    queue.appendleft(task.after_death())
                    idle.append(_start_worker())
                    continue
                if answer is not None:
                    raise HeadmimeError(answer)
                idle.append((process, connection))
                on_done(task)
    finally:
        for process in [process for process, _ in [*idle, *busy.values()]]:
            process.kill()
            process.join()


def _start_worker() -> tuple[BaseProcess, Connection]:
    # spawn: a forked child would inherit OpenCV's threads in an unknown state
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with limit_child_threads(1):
        process.start()
    theirs.close()  # so that recv on ours raises EOFError when the process dies
    return process, ours


def _serve(connection: Connection) -> None:
    """Write the shards of received tasks in an endless loop."""
    init_worker()
    while True:
        connection.send(_run_task(connection.recv()))


def run_on_ray(tasks: Iterable[Task], on_done: Callable[[Task], None], address: str) -> None:
    """Like `run_local`, on the cluster at `address` ("auto": this machine's cluster)."""
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"cluster=ray needs the package {missing.name}: pip install 'headmime[cluster]'."
        ) from missing
    try:
        host, colon, port = address.removeprefix("ray://").rpartition(":")
        if colon:  # an OSError if nothing listens there: Ray would retry for minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
    except (OSError, ValueError) as error:
        raise HeadmimeError(
            f"There is no Ray cluster at cluster.address={address}: start one with `ray start "
            "--head`, and join it from the other machines with `ray start --address=...`."
        ) from error
    try:
        # A lost machine is not caused by the current file, but Ray would count it as a retry.
        remote = ray.remote(num_cpus=1, max_retries=0)(_run_task)
        running = {remote.remote(task): task for task in tasks}
        while running:
            (done,), _ = ray.wait(list(running), num_returns=1)
            task = running.pop(done)
            try:
                answer = ray.get(done)
            except ray.exceptions.NodeDiedError:
                running[remote.remote(task)] = task
                continue
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
                task = task.after_death()
                running[remote.remote(task)] = task
                continue
            if answer is not None:
                raise HeadmimeError(answer)
            on_done(task)
    finally:
        ray.shutdown()


def _run_task(task: Task) -> str | None:
    """Write a shard; return None, or the message of an error that affects all tasks."""
    try:
        write_task(task)
    except HeadmimeError as error:
        return str(error)
    except OSError as error:
        why = error.strerror or error
        return f"{task.out} cannot be written ({why}): correct this and run the command again."
    return None
