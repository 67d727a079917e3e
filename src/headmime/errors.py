"""The one exception that a user is meant to read."""

from collections.abc import Iterable


class HeadmimeError(Exception):
    """Something the user can mend: one sentence that names the file or key and the remedy."""


def check_choice(key: str, value: str, choices: Iterable[str]) -> None:
    """HeadmimeError, which names the choices, unless `value` is one of them."""
    if value not in (choices := list(choices)):
        raise HeadmimeError(f"{key}={value} is not known; choose one of {', '.join(choices)}.")
