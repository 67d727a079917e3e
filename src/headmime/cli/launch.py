"""One process per device: who starts them, and what each of them is told."""

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

from headmime.errors import HeadmimeError
from headmime.threads import limit_child_threads


@dataclass(frozen=True)
class Placement:
    """`devices` processes on each of `nodes` machines; `device`: torch's name of their kind."""

    devices: int
    nodes: int
    device: str

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self.devices * self.nodes


def is_launched() -> bool:
    """Whether this process is one of several that torchrun, submitit or `launch` started; after it,
    all three have left torchrun's variables in the environment.
    """
    if "SUBMITIT_EXECUTOR" in os.environ:
        _set_rendezvous()
    elif (
        "LOCAL_WORLD_SIZE" not in os.environ and int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1
    ):
        raise HeadmimeError(
            "srun started several processes that do not know of each other: start them with "
            "torchrun or with `-m hydra/launcher=submitit_slurm` (docs/guide/train.md)."
        )
    return "LOCAL_WORLD_SIZE" in os.environ


def resolve_placement(accelerator: str, devices: str, nodes: int) -> Placement:
    """What the settings, or whoever started this process, mean on this machine."""
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
    """Call ``function(*arguments)`` in one new process per device, as `torchrun --standalone` does;
    when one fails, the others are ended. What the first said or left with is said again here, once.
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
    shared = max(1, torch.get_num_threads() // devices)
    said = "OMP_NUM_THREADS" in os.environ
    try:
        with nullcontext() if said else limit_child_threads(shared):
            elastic_launch(config, _run_process)(function, *arguments)
    except SignalException as told:
        raise SystemExit(128 + told.sigval) from told
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
    """What runs in each process."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    function(*arguments)


def _set_rendezvous() -> None:
    """Tell the tasks of a submitit job of each other."""
    from submitit import JobEnvironment
    from submitit.helpers import TorchDistributedEnvironment

    job = JobEnvironment()
    if job.num_tasks > 1 and "LOCAL_WORLD_SIZE" not in os.environ:
        TorchDistributedEnvironment().export(set_cuda_visible_devices=False)
        if job.num_nodes == 1:
            os.environ["MASTER_ADDR"] = "127.0.0.1"
