"""What goes in (sources), and what is left out with a reason (refusals)."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Source:
    """A file (or folder of frames) that becomes a clip, or several where it is split.

    file: path inside of the data set's root. bytes: its size. split: "train" or "test", None as
    long as it is not decided.
    """

    person: str
    video: str
    clip: str
    file: str
    bytes: int
    split: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A file, or the part of it between two times in seconds, that is not stored."""

    file: str
    reason: str
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Listing:
    """A data set: sorted by person, video and clip, and what was refused by its name already."""

    sources: list[Source]
    refused: list[Refusal]


def listing(sources: Iterable[Source], refused: Iterable[Refusal]) -> Listing:
    """Both in an order that no file system decides."""
    return Listing(
        sorted(sources, key=lambda s: tuple(map(os.fsencode, (s.person, s.video, s.clip)))),
        sorted(refused, key=lambda refusal: (os.fsencode(refusal.file), refusal.seconds or (0, 0))),
    )


def with_splits(
    listed: Listing, test_share: float, test_persons: Sequence[str] | None, seed: int
) -> Listing:
    """Decide the split of everyone whose split the data set does not say.

    By person, never by clip: who is in `test_persons` is in "test", or, where that is None, a share
    of about `test_share` of all persons, chosen by a hash of their names. It does not depend on who
    else is in the data set.
    """
    chosen = None if test_persons is None else set(test_persons)

    def split_of(person: str) -> str:
        if chosen is not None:
            return "test" if person in chosen else "train"
        digest = hashlib.sha256(f"{seed}/".encode() + os.fsencode(person)).digest()
        return "test" if int.from_bytes(digest[:8]) < test_share * 2**64 else "train"

    decided = [
        source if source.split else replace(source, split=split_of(source.person))
        for source in listed.sources
    ]
    return Listing(decided, listed.refused)
