"""A prepared study: a folder with `study.json` (which is never served) and the images.

Uses only the standard library, so that serving starts fast.
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
IMAGES, DESCRIPTION = "pictures", "study.json"
SEQUENCES = ("videos", "clips", "moments")
"""Origin of a triplet's images: three videos, three clips, or fewer than three clips."""

MIN_PAUSE, MAX_PAUSE = 400, 900
"""Milliseconds of an empty page before a triplet is shown."""


@dataclass(frozen=True)
class Triplet:
    """Two real images and a generated one of a person, by their public names.

    `frames`: their (video, clip, frame) in the store, generated first.
    """

    id: str
    row: str
    person: str
    sequences: str
    generated: str
    real: tuple[str, str]
    frames: tuple[tuple[str, str, int], ...]

    @property
    def images(self) -> tuple[str, str, str]:
        """All three names, sorted, so that the order reveals nothing."""
        first, second, third = sorted((self.generated, *self.real))
        return first, second, third


@dataclass(frozen=True)
class Display:
    """A triplet as displayed to an annotator: images from left to right, after a pause."""

    triplet: str
    images: tuple[str, ...]
    pause_ms: int


@dataclass(frozen=True)
class Study:
    """All triplets. `rows`: record of each method, by name; `origin`: of the study."""

    title: str
    seed: int
    size: int  # side of the images, in pixels
    rows: dict[str, dict[str, Any]]
    triplets: tuple[Triplet, ...]
    left_out: dict[str, str]  # person -> reason why they have no triplet
    origin: dict[str, Any]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the description, which ties answers to this study."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Triplet]:
        """The triplets by their ids."""
        return {triplet.id: triplet for triplet in self.triplets}

    @property
    def sequences(self) -> dict[str, int]:
        """Number of triplets of each kind of SEQUENCES."""
        kinds = [triplet.sequences for triplet in self.triplets]
        return {kind: kinds.count(kind) for kind in SEQUENCES}

    def schedule(self, annotator: str) -> list[Display]:
        """Return the trials of an annotator, determined by the study's seed and the annotator's
        code.

        The order of triplets, the order of images in each and the pauses are sampled independently.
        """
        sample = random.Random(f"{self.seed}/{annotator}").random
        return [
            Display(
                triplet.id,
                tuple(sorted(triplet.images, key=lambda _: sample())),
                round(MIN_PAUSE + (MAX_PAUSE - MIN_PAUSE) * sample()),
            )
            for triplet in sorted(self.triplets, key=lambda _: sample())
        ]

    def to_json(self) -> str:
        """Return the content of `study.json`."""
        content = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(content, indent=1) + "\n"


def load_study(folder: Path | str) -> Study:
    """Read `folder`/study.json. HeadmimeError if it is not a study or lacks an image."""
    folder = Path(folder)
    path = folder / DESCRIPTION
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content.pop("format"), content.pop("version")
    except (FileNotFoundError, NotADirectoryError):
        raise HeadmimeError(
            f"{folder} is not a prepared study: it has no {DESCRIPTION}. Make one with "
            f"`headmime userstudy prepare study.out={folder} ...`."
        ) from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise HeadmimeError(f"{path} is damaged ({error!r}): prepare the study again.") from error
    if version != (FORMAT, VERSION):
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
    for name in sorted({name for triplet in triplets for name in triplet.images}):
        if not image_path(folder, name).is_file():
            raise HeadmimeError(f"{image_path(folder, name)} is missing: prepare it again.")
    return study


def image_path(folder: Path, name: str) -> Path:
    """Path of an image of the study."""
    return folder / IMAGES / f"{name}.png"
