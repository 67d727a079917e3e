"""The exception whose message is shown to the user."""

import errno
from collections.abc import Iterable

REMEDIES = {
    errno.ENOSPC: "; free some space, or write to another disk",
    errno.EDQUOT: "; free some space, or write to another disk",
    errno.EROFS: "; write to another folder",
    errno.EACCES: "; write to another folder, or change its permissions",
    errno.EPERM: "; write to another folder, or change its permissions",
    errno.ENAMETOOLONG: "; choose a shorter name",
    errno.EMFILE: "; raise the limit of open files (ulimit -n)",
}


class HeadmimeError(Exception):
    """An error the user can correct: one sentence naming the file or key and the remedy."""


def check_choice(key: str, value: str, choices: Iterable[str]) -> None:
    """Raise HeadmimeError naming the choices unless `value` is one of them."""
    if value not in (choices := list(choices)):
        raise HeadmimeError(f"{key}={value} is not known; choose one of {', '.join(choices)}.")


def user_error(error: BaseException | None) -> HeadmimeError | None:
    """What a user can mend in an error or its causes, as one sentence; None for a defect of ours.

    This is the one place that words what the system says of files: a disk that is full or
    read-only, a file that vanished, memory that is not there.
    """
    while error is not None:
        if isinstance(error, HeadmimeError):
            return error
        if isinstance(error, MemoryError):
            return HeadmimeError("There is not enough memory for this; give smaller inputs.")
        if isinstance(error, OSError) and error.strerror and not isinstance(error, BrokenPipeError):
            where = f"{error.filename}: " if error.filename else ""
            remedy = REMEDIES.get(error.errno or 0, "")
            return HeadmimeError(f"{where}{error.strerror}{remedy}.")
        error = error.__cause__
    return None
