"""Who writes the shards: processes of this machine, or of many machines by way of Ray.

Processes may die without taking anything with them. All machines see the data set and the store
under the same paths and have headmime installed.
"""

import logging
import multiprocessing
import socket
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from headmime.data.preprocess.shard_tasks import Task, problem, write_task
from headmime.errors import HeadmimeError
from headmime.threads import start_worker, threads_of_children


def run_local(tasks: Iterable[Task], on_done: Callable[[Task], None], workers: int) -> None:
    """Write the shards of all tasks with that many processes; on_done after each of them.

    A task whose process dies is done again. HeadmimeError if something stands in the way of all of
    them: no detector, no space.
    """
    waiting = deque(tasks)
    busy: dict[Connection, tuple[BaseProcess, Task]] = {}
    idle = [_start_worker() for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or busy:
            while waiting and idle:
                process, connection = idle.pop()
                task = waiting.popleft()
                busy[connection] = (process, task)
                with suppress(BrokenPipeError):  # it has died: told below, as of all that do
                    connection.send(task)
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                process, task = busy.pop(connection)
                try:
                    answer = connection.recv()
                except (EOFError, ConnectionResetError):
                    process.join()
                    connection.close()
                    waiting.appendleft(task.after_death())
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
    with threads_of_children(1):
        process.start()
    theirs.close()  # so that ours reads its end when the process dies
    return process, ours


def _serve(connection: Connection) -> None:
    """Write one shard after another."""
    start_worker()
    while True:
        connection.send(_answer(connection.recv()))


def run_on_ray(tasks: Iterable[Task], on_done: Callable[[Task], None], address: str) -> None:
    """Like `run_local`, on the cluster at `address` ("auto": the one that this machine is in)."""
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"cluster=ray needs the package {missing.name}: pip install 'headmime[cluster]'."
        ) from missing
    try:
        _check_reachable(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
    except (OSError, ValueError) as error:
        raise HeadmimeError(
            f"There is no Ray cluster at cluster.address={address}: start one with `ray start "
            "--head`, and join it from the other machines with `ray start --address=...`."
        ) from error
    try:
        # A lost machine is not the fault of the file in work: Ray would count it as a try.
        remote = ray.remote(num_cpus=1, max_retries=0)(_answer)
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


def _check_reachable(address: str) -> None:
    """OSError if nobody is at host:port: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=10).close()


def _answer(task: Task) -> str | None:
    """Write a shard; None, or what stands in the way."""
    try:
        write_task(task)
    except (HeadmimeError, OSError) as error:
        return problem(task, error)
    return None
