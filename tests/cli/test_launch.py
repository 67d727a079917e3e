import os
import re

import pytest
from pytorch_lightning.utilities import rank_zero_only

from headmime.cli.launch import Placement, is_launched, resolve_placement
from headmime.errors import HeadmimeError

TOLD = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Of a process that nobody else started; what is told to it is forgotten afterwards."""
    for name in TOLD:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(rank_zero_only, "rank", 0)  # Lightning's, for the whole process
    return monkeypatch


def test_alone_the_settings_count() -> None:
    assert not is_launched()
    assert resolve_placement("cpu", "auto", 1) == Placement(1, 1, "cpu")
    assert resolve_placement("cpu", "3", 1).processes == 3


@pytest.mark.parametrize("started_by_torchrun", [False, True])
@pytest.mark.parametrize(("devices", "ids", "count"), [("3,", "3", 1), ("2,5", "2,5", 2)])
def test_devices_are_counted_not_named(
    environment: pytest.MonkeyPatch, devices: str, ids: str, count: int, started_by_torchrun: bool
) -> None:
    """Lightning takes "3," for GPU 3; what is started here would train on the first ones."""
    if started_by_torchrun:
        environment.setenv("LOCAL_WORLD_SIZE", "2")
        environment.setenv("WORLD_SIZE", "2")
    remedy = f"CUDA_VISIBLE_DEVICES={ids} headmime train ... trainer.devices={count}"
    with pytest.raises(HeadmimeError, match=re.escape(remedy) + "$"):
        resolve_placement("gpu", devices, 1)


def test_torchrun_says_how_many_there_are(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LOCAL_WORLD_SIZE", "2")
    environment.setenv("WORLD_SIZE", "8")
    assert is_launched()
    assert resolve_placement("cpu", "auto", 1) == Placement(2, 4, "cpu")


def test_tasks_of_submitit_are_told_of_each_other(environment: pytest.MonkeyPatch) -> None:
    job = {"JOB_ID": "7", "NTASKS": "2", "JOB_NUM_NODES": "1", "NODEID": "0"}
    for name, value in {**job, "GLOBALID": "1", "LOCALID": "1"}.items():
        environment.setenv(f"SUBMITIT_LOCAL_{name}", value)
    environment.setenv("SUBMITIT_EXECUTOR", "local")
    assert resolve_placement("cpu", "auto", 1) == Placement(2, 1, "cpu")
    told = {name: os.environ[name] for name in TOLD}
    assert int(told.pop("MASTER_PORT")) > 1024
    assert told == dict(zip(TOLD, ["1", "2", "1", "2", "127.0.0.1"], strict=False))


def test_tasks_of_srun_alone_are_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SLURM_STEP_NUM_TASKS", "8")
    with pytest.raises(HeadmimeError, match="torchrun"):
        is_launched()
