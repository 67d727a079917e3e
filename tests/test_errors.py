"""What the system says of files and memory becomes one sentence; defects do not."""

import errno
import os
import signal
import time

import pytest
from torch.utils.data import DataLoader, Dataset

from headmime.errors import HeadmimeError, user_error


@pytest.mark.parametrize(
    "error, sentence",
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a.mp4"),
            "a.mp4: No space left on device; free",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "a"), "a: Permission denied; write to"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free"),
        (MemoryError(), "There is not enough memory"),
        (HeadmimeError("As it is."), "As it is."),
    ],
)
def test_one_sentence(error: Exception, sentence: str) -> None:
    wrapped = RuntimeError("by a library")
    wrapped.__cause__ = error
    for one in (error, wrapped):
        assert str(user_error(one)).startswith(sentence)


@pytest.mark.parametrize(
    "error", [KeyError("x"), BrokenPipeError(errno.EPIPE, "Broken pipe"), None]
)
def test_defects_are_none(error: Exception | None) -> None:
    assert user_error(error) is None


class Fatal(Dataset):
    """Its reader does what is told: is killed by a signal, or raises."""

    def __init__(self, fault: int | Exception) -> None:
        self.fault = fault

    def __len__(self) -> int:
        return 2

    def __getitem__(self, number: int) -> int:
        if isinstance(self.fault, Exception):
            raise self.fault
        os.kill(os.getpid(), self.fault)
        time.sleep(60)
        return number


@pytest.mark.parametrize(
    "fault, sentence",
    [
        (signal.SIGKILL, "A process that loads data was killed"),
        # torch does not always see which signal it was
        (signal.SIGBUS, ("The loaders' shared memory", "A process that loads data was killed")),
        (
            RuntimeError("unable to write to file </torch_1_2>: No space left"),
            "The loaders' shared",
        ),
        (HeadmimeError("clip.npy is damaged."), "clip.npy is damaged."),
    ],
)
def test_a_loader_that_dies_names_the_key_of_workers(
    fault: int | Exception, sentence: str | tuple[str, ...]
) -> None:
    with pytest.raises(Exception) as caught:  # what torch raises is its own affair
        list(DataLoader(Fatal(fault), num_workers=1))
    told = str(user_error(caught.value))
    assert told.startswith(sentence)
    assert "workers=" in told or isinstance(fault, HeadmimeError)
    # The error comes in a signal handler, so that any code may wrap it.
    wrapped = TypeError("unsupported callable")
    wrapped.__context__ = caught.value
    if not isinstance(fault, HeadmimeError):
        assert str(user_error(wrapped)) == told


def test_a_defect_in_a_loader_stays_one() -> None:
    with pytest.raises(RuntimeError) as caught:
        list(DataLoader(Fatal(RuntimeError("shapes differ")), num_workers=1))
    assert user_error(caught.value) is None


def test_wandb_without_a_login_names_the_key() -> None:
    usage = type("UsageError", (Exception,), {"__module__": "wandb.errors.errors"})
    told = str(user_error(usage("No API key configured. Use `wandb login` to log in.")))
    assert "`wandb login`" in told and "logger.wandb.offline=true" in told
