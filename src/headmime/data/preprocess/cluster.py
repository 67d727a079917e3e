"""Many machines: Ray hands out the shards, and again where a machine or a process is lost.

All machines see the data set and the store under the same paths and have headmime installed.
"""

import socket
from collections.abc import Callable, Iterable

from headmime.data.preprocess.work import Task, problem, write_task
from headmime.errors import HeadmimeError


def run_on_ray(tasks: Iterable[Task], on_done: Callable[[Task], None], address: str) -> None:
    """Like `run_local`, on the cluster at `address` ("auto": the one that this machine is in)."""
    try:
        import ray
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"cluster=ray needs the package {missing.name}: pip install 'headmime[cluster]'."
        ) from missing
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="warning")
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


def _knock(address: str) -> None:
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
