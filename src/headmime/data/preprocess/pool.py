"""All cores of one machine: processes that may die without taking anything with them.

(concurrent.futures gives up all of its work when one process dies.)
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from headmime.data.preprocess.work import Task, problem, write_task
from headmime.errors import HeadmimeError
from headmime.threads import start_worker, threads_of_children


def run_local(tasks: Iterable[Task], on_done: Callable[[Task], None], workers: int) -> None:
    """Write the shards of all tasks with that many processes; on_done after each of them.

    A task whose process dies is done again. HeadmimeError if something stands in the way of all of
    them: no detector, no space.
    """
    waiting = deque(tasks)
    busy: dict[Connection, tuple[BaseProcess, Task]] = {}
    idle = [_started() for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or busy:
            while waiting and idle:
                process, connection = idle.pop()
                task = waiting.popleft()
                busy[connection] = (process, task)
                with suppress(BrokenPipeError):  # it has died: told below, as of all that do
                    connection.send(task)
            for connection in wait(list(busy)):
                process, task = busy.pop(connection)
                try:
                    answer = connection.recv()
                except (EOFError, ConnectionResetError):
                    process.join()
                    connection.close()
                    waiting.appendleft(task.after_death())
                    idle.append(_started())
                    continue
                if answer is not None:
                    raise HeadmimeError(answer)
                idle.append((process, connection))
                on_done(task)
    finally:
        for process in [process for process, _ in [*idle, *busy.values()]]:
            process.kill()
            process.join()


def _started() -> tuple[BaseProcess, Connection]:
    # spawn: a forked child would inherit OpenCV's threads in an unknown state
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with threads_of_children(1):
        process.start()
    theirs.close()  # so that ours reads its end when the process dies
    return process, ours


def _serve(connection: Connection) -> None:
    """Write one shard after another; answer None, or what stands in the way."""
    start_worker()
    while True:
        task = connection.recv()
        try:
            write_task(task)
            connection.send(None)
        except (HeadmimeError, OSError) as error:
            connection.send(problem(task, error))
