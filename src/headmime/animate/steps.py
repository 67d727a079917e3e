"""Telling somebody how far a stream has come."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
OnFrame = Callable[[int, int | None], None]
"""Called with (frames done, frames in all or None)."""


def reported(items: Iterable[Item], total: int | None, on_frame: OnFrame | None) -> Iterator[Item]:
    """`items`, telling `on_frame` of each one that was dealt with."""
    for done, item in enumerate(items, 1):
        yield item
        if on_frame is not None:
            on_frame(done, total)
