"""A prepared study: a folder with `study.json` (the key to it: never served) and its pictures.

Only the standard library, so that serving starts at once and needs no networks.
"""

import hashlib
import json
import random
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from headmime.errors import HeadmimeError

FORMAT, VERSION = "headmime user study", 1
PICTURES, DESCRIPTION = "pictures", "study.json"
SEQUENCES = ("videos", "clips", "moments")
"""What a triplet's pictures come from: three videos, three clips, or fewer than three clips."""

SHORTEST_PAUSE, LONGEST_PAUSE = 400, 900
"""Milliseconds of an empty page before a triplet appears."""


@dataclass(frozen=True)
class Triplet:
    """Two real pictures and a generated one of a person, by the names under which they are served.

    `frames` says where they are from, generated first: (video, clip, frame) of the store.
    """

    id: str
    row: str
    person: str
    sequences: str
    generated: str
    real: tuple[str, str]
    frames: tuple[tuple[str, str, int], ...]

    @property
    def pictures(self) -> tuple[str, str, str]:
        """All three, in the order of their names, which says nothing."""
        first, second, third = sorted((self.generated, *self.real))
        return first, second, third


@dataclass(frozen=True)
class Display:
    """A triplet as one annotator sees it: pictures from left to right, after a pause."""

    triplet: str
    pictures: tuple[str, ...]
    pause_ms: int


@dataclass(frozen=True)
class Study:
    """All triplets. `rows`: by name, what is known of each method in the study; `origin`: of it."""

    title: str
    seed: int
    size: int  # of a picture's side, in pixels
    rows: dict[str, dict[str, Any]]
    triplets: tuple[Triplet, ...]
    left_out: dict[str, str]  # person -> why there is no triplet of them
    origin: dict[str, Any]

    @cached_property
    def hash(self) -> str:
        """sha256 of its description: answers belong to it and to no other study."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Triplet]:
        """The triplets by their ids."""
        return {triplet.id: triplet for triplet in self.triplets}

    @property
    def sequences(self) -> dict[str, int]:
        """How many triplets come from three videos, from three clips, and from fewer."""
        kinds = [triplet.sequences for triplet in self.triplets]
        return {kind: kinds.count(kind) for kind in SEQUENCES}

    def schedule(self, annotator: str) -> list[Display]:
        """The trials of an annotator: a function of the study's seed and the annotator's code.

        The order of the triplets, of the pictures in each and the pauses are drawn independently.
        """
        draw = random.Random(f"{self.seed}/{annotator}").random
        return [
            Display(
                triplet.id,
                tuple(sorted(triplet.pictures, key=lambda _: draw())),
                round(SHORTEST_PAUSE + (LONGEST_PAUSE - SHORTEST_PAUSE) * draw()),
            )
            for triplet in sorted(self.triplets, key=lambda _: draw())
        ]

    def to_json(self) -> str:
        """The text of `study.json`."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(content, indent=1) + "\n"


def load_study(folder: Path | str) -> Study:
    """Read `folder`/study.json. HeadmimeError if it is not a study or lacks a picture."""
    folder = Path(folder)
    path = folder / DESCRIPTION
    try:
        content = json.loads(path.read_text())
        told = content.pop("format"), content.pop("version")
    except (FileNotFoundError, NotADirectoryError):
        raise HeadmimeError(
            f"{folder} is not a prepared study: it has no {DESCRIPTION}. Make one with "
            f"`headmime userstudy prepare study.out={folder} ...`."
        ) from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise HeadmimeError(f"{path} is damaged ({error!r}): prepare the study again.") from error
    if told != (FORMAT, VERSION):
        raise HeadmimeError(f"{path} is not of format {FORMAT!r}, version {VERSION}.")
    triplets = tuple(
        Triplet(
            **triplet
            | {
                "real": tuple(triplet["real"]),
                "frames": tuple((video, clip, t) for video, clip, t in triplet["frames"]),
            }
        )
        for triplet in content.pop("triplets")
    )
    study = Study(triplets=triplets, **content)
    for name in sorted({name for triplet in triplets for name in triplet.pictures}):
        if not picture_path(folder, name).is_file():
            raise HeadmimeError(f"{picture_path(folder, name)} is missing: prepare it again.")
    return study


def picture_path(folder: Path, name: str) -> Path:
    """Where a picture of the study lies."""
    return folder / PICTURES / f"{name}.png"
