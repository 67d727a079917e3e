"""Launch one training process per device, or join those that torchrun or submitit launched."""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment  # pyright: ignore[reportPrivateImportUsage]  (documented there)
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # pyright: ignore[reportPrivateImportUsage]  (documented there)
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from headmime.errors import HeadmimeError, user_error
from headmime.threads import limit_child_threads


@dataclass(frozen=True)
class Placement:
    """`devices` processes on each of `nodes` machines; `device`: torch's name of their kind."""

    devices: int
    nodes: int
    device: str

    @property
    def processes(self) -> int:
        """Total number of training processes."""
        return self.devices * self.nodes


def is_launched() -> bool:
    """Return whether torchrun, submitit or `launch` started this process; afterwards torchrun's
    variables are in the environment in all three cases.
    """
    if "SUBMITIT_EXECUTOR" in os.environ:
        _set_rendezvous()
    elif (
        "LOCAL_WORLD_SIZE" not in os.environ and int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1
    ):
        raise HeadmimeError(
            "srun started several independent processes: start them with "
            "torchrun or with `-m hydra/launcher=submitit_slurm` (docs/guide/train.md)."
        )
    return "LOCAL_WORLD_SIZE" in os.environ


def resolve_placement(accelerator: str, devices: str, nodes: int) -> Placement:
    """Resolve devices and nodes from the settings, or from the launcher's environment."""
    if "," in devices:
        named = [device.strip() for device in devices.split(",") if device.strip()]
        raise HeadmimeError(
            f'trainer.devices="{devices}" is no number of devices: name GPUs to CUDA, and say how '
            f"many there are: CUDA_VISIBLE_DEVICES={','.join(named)} headmime train ... "
            f"trainer.devices={len(named)}"
        )
    if is_launched():
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        devices, nodes = str(local), int(os.environ["WORLD_SIZE"]) // local
    elif nodes > 1:
        raise HeadmimeError(
            f"trainer.num_nodes={nodes}: several machines are started with torchrun or with "
            "`-m hydra/launcher=submitit_slurm` (docs/guide/train.md)."
        )
    try:
        probe = pl.Trainer(
            accelerator=accelerator,
            devices=devices,
            plugins=[LightningEnvironment()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise HeadmimeError(
            f"trainer.accelerator={accelerator} trainer.devices={devices}: {error}"
        ) from error
    return Placement(probe.num_devices, nodes, probe.strategy.root_device.type)


def launch(devices: int, function: Callable[..., None], *arguments: Any) -> None:
    """Call ``function(*arguments)`` in one new process per device, as `torchrun --standalone` does.
    If one fails, the others are terminated, and the first failure's error or exit status is raised
    here.
    """
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id=f"headmime-{os.getpid()}",
        max_restarts=0,
    )
    for name in ("torch.distributed.elastic", "torch.multiprocessing"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    threads = max(1, torch.get_num_threads() // devices)
    user_defined = "OMP_NUM_THREADS" in os.environ
    try:
        with nullcontext() if user_defined else limit_child_threads(threads):
            elastic_launch(config, _run_process)(function, *arguments)
    except SignalException as signal:
        raise SystemExit(128 + signal.sigval) from signal
    except ChildFailedError as failed:
        first = min(failed.failures.values(), key=lambda failure: failure.timestamp)
        message: Any = first.message
        if isinstance(message, dict):
            name, _, sentence = message["message"].partition(": ")
            if name == HeadmimeError.__name__:
                raise HeadmimeError(sentence) from failed
        elif first.exitcode > 0:
            raise SystemExit(first.exitcode) from failed
        raise


def _run_process(function: Callable[..., None], *arguments: Any) -> None:
    """Entry point of each process."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    try:
        function(*arguments)
    except Exception as error:  # only the name and the message of an error reach `launch`
        told = user_error(error)
        if told is None:
            raise
        raise told from error


def _set_rendezvous() -> None:
    """Export torchrun's rendezvous variables in the tasks of a submitit job."""
    from submitit import JobEnvironment
    from submitit.helpers import TorchDistributedEnvironment

    job = JobEnvironment()
    if job.num_tasks > 1 and "LOCAL_WORLD_SIZE" not in os.environ:
        TorchDistributedEnvironment().export(set_cuda_visible_devices=False)
        if job.num_nodes == 1:
            os.environ["MASTER_ADDR"] = "127.0.0.1"
