"""What an output states of how it was made: hashes and kinds, never names."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headmime.provenance.consent import Consent


@dataclass(frozen=True)
class Ingredient:
    """Something that went into an output.

    `role`: "source" (the person) or "driving" (the motion); `kind`: "picture", "video", "template"
    or "store"; `sha256`: of the file's bytes, in hex.
    """

    role: str
    kind: str
    sha256: str


@dataclass(frozen=True)
class Making:
    """How an output came about, for its credentials.

    `model_sha256`: of the meta-learned weights, in hex; `settings`: what else matters, as words
    and numbers; `composite`: whether pictures or sound from elsewhere are beside what was
    generated; `watermark`: the payload that the frames carry. Nothing in here may be a name, a path
    or a picture of the user's.
    """

    consent: Consent
    model_sha256: str | None = None
    ingredients: tuple[Ingredient, ...] = ()
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    composite: bool = False
    watermark: bytes | None = None


def ingredient(role: str, kind: str, file: Path) -> Ingredient:
    """A file as an ingredient; it is read in pieces, whatever its size."""
    with file.open("rb") as stream:
        return Ingredient(role, kind, hashlib.file_digest(stream, "sha256").hexdigest())
