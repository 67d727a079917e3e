"""What `animate`, `finetune` and `demo` share: a person's pictures, and the model of them."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from hydra.utils import instantiate

from headmime.animate.api import load, personalise
from headmime.animate.model import torch_device, weights_stem
from headmime.animate.person import Person
from headmime.animate.sources import find_files, parse_count
from headmime.assets import ASSETS
from headmime.landmarks.detect import Detector
from headmime.learning.finetune import FineTuneSettings
from headmime.progress import progress
from headmime.provenance.consent import Consent, required_consent


@dataclass
class PersonSettings:
    """Keys of the verbs that make a person's model; the values are in conf/person.yaml."""

    source: list[str] = field(default_factory=list)
    T: str = "all"
    consent: str | None = None
    weights: str = "bundled"
    detector: dict[str, Any] | None = None
    device: str = "auto"
    finetune: FineTuneSettings | None = None
    perceptual: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


def check(settings: PersonSettings) -> None:
    """HeadmimeError, before any work, for what is missing or misspelt."""
    stated_consent(settings)
    parse_count(settings.T)
    find_files(settings.source)
    weights_stem(settings.weights)
    torch_device(settings.device)


def stated_consent(settings: PersonSettings) -> str:
    """The user's word. The bundled pictures need none; HeadmimeError if others are without."""
    files = find_files(settings.source)
    if not settings.consent and all(ASSETS in file.resolve().parents for file in files):
        return Consent.PUBLIC_DOMAIN.value
    return required_consent(settings.consent).value


def make_person(settings: PersonSettings, detector: Detector | None) -> Person:
    """Load the networks and make the person's own from the pictures.

    `detector`: None is the one that the networks learned from.
    """
    perceptual = instantiate(settings.perceptual) if settings.finetune else None
    model = load(settings.weights, settings.device)
    with progress("Fine-tuning") if settings.finetune else nullcontext() as on_step:
        return personalise(
            model,
            settings.source,
            frames=parse_count(settings.T),
            finetune=settings.finetune,
            perceptual=perceptual,
            consent=stated_consent(settings),
            detector=detector,
            on_step=on_step,
        )
