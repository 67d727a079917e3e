"""The exception whose message is shown to the user, and what becomes of others."""

import errno
from collections.abc import Iterable, Iterator

REMEDIES = {
    errno.ENOSPC: "; free some space, or write to another disk",
    errno.EDQUOT: "; free some space, or write to another disk",
    errno.EROFS: "; write to another folder",
    errno.EACCES: "; write to another folder, or change its permissions",
    errno.EPERM: "; write to another folder, or change its permissions",
    errno.ENAMETOOLONG: "; choose a shorter name",
    errno.EMFILE: "; raise the limit of open files (ulimit -n)",
}


# What messages of libraries say -> what the user can do.
KEPT = "The last saved state is kept: ckpt=auto resumes it."
SHARED_MEMORY = (
    "The loaders' shared memory (/dev/shm) is full: choose fewer workers= (workers=0 needs none) or"
    f" a smaller batch=, or start the container with a larger --shm-size. {KEPT}"
)
MESSAGES = {
    "Bus error": SHARED_MEMORY,
    "</torch_": SHARED_MEMORY,
    "DataLoader worker (pid": "A process that loads data was killed, as the system does when memory"
    f" is short: choose fewer workers= (workers=0 has none) or a smaller batch=. {KEPT}",
    "received 0 items of ancdata": "The loaders have too many open files: raise the limit (ulimit"
    f" -n), or choose fewer workers=. {KEPT}",
}


class HeadmimeError(Exception):
    """An error the user can correct: one sentence naming the file or key and the remedy."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP; handled like Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def check_choice(key: str, value: str, choices: Iterable[str]) -> None:
    """Raise HeadmimeError naming the choices unless `value` is one of them."""
    if value not in (choices := list(choices)):
        raise HeadmimeError(f"{key}={value} is not known; choose one of {', '.join(choices)}.")


def user_error(error: BaseException | None) -> HeadmimeError | None:
    """What a user can mend in an error or its causes, as one sentence; None for a defect of ours.

    This is the one place that words what the system says of files: a disk that is full or
    read-only, a file that vanished, memory that is not there.
    """
    for one in _causes(error):
        if isinstance(one, HeadmimeError):
            if str(one).startswith("Caught "):  # torch repeats the traceback of a loader's process
                return HeadmimeError(str(one).rpartition("HeadmimeError: ")[2].strip())
            return one
        if isinstance(one, MemoryError):
            return HeadmimeError("There is not enough memory for this; give smaller inputs.")
        if isinstance(one, OSError) and one.strerror and not isinstance(one, BrokenPipeError):
            where = f"{one.filename}: " if one.filename else ""
            return HeadmimeError(f"{where}{one.strerror}{REMEDIES.get(one.errno or 0, '')}.")
        if type(one).__module__.startswith("wandb."):
            return HeadmimeError(
                f"logger=wandb: {str(one).rstrip('.')}; log in with `wandb login`, or let "
                "logger.wandb.offline=true write files in the run's folder for `wandb sync`."
            )
    # A loader's death is raised in a signal handler, wherever the program happens to be.
    chain = [str(one) for one in _causes(error, True) if isinstance(one, RuntimeError)]
    for said, sentence in MESSAGES.items():
        if any(said in text for text in chain):
            return HeadmimeError(sentence)
    return None


def _causes(error: BaseException | None, contexts: bool = False) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (error.__context__ if contexts else None)
