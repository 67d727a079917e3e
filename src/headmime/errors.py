"""The exception whose message is shown to the user."""

from collections.abc import Iterable


class HeadmimeError(Exception):
    """An error the user can correct: one sentence naming the file or key and the remedy."""


def check_choice(key: str, value: str, choices: Iterable[str]) -> None:
    """Raise HeadmimeError naming the choices unless `value` is one of them."""
    if value not in (choices := list(choices)):
        raise HeadmimeError(f"{key}={value} is not known; choose one of {', '.join(choices)}.")
