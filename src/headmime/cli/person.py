"""`headmime demo`, `finetune`, `export`, and one `animate`: from images to a model and videos."""

import json
import logging
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.utils import instantiate

from headmime.animate import api
from headmime.animate.animation import NO_SCENE, check_output, check_size, check_still
from headmime.animate.api import load, personalise
from headmime.animate.driving import find_driving, is_still
from headmime.animate.media_writer import output_path
from headmime.animate.model import Model, torch_device, weights_stem
from headmime.animate.motion import choose_motion
from headmime.animate.person import Person, load_person, person_stem
from headmime.animate.sources import find_files, parse_count
from headmime.animate.strength import Strength, check_strength
from headmime.assets import ASSETS, MONA_LISA
from headmime.errors import HeadmimeError
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings
from headmime.nets.inference import for_inference
from headmime.nets.onnx import check_onnx, write_onnx
from headmime.pretrained.frozen import Frozen
from headmime.progress import progress
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import (
    Consent,
    ProvenanceOptions,
    parse_consent,
    required_consent,
)

DEMO_OUTPUTS = {
    "mp4": "the video",
    "gif": "the same as a GIF",
    "png": "contact sheet: source | landmarks | result",
}


@dataclass(kw_only=True)
class NetworkSettings:
    """Keys of the networks that a person is made with: conf/person.yaml."""

    weights: str
    detector: dict[str, Any] | None = None  # where no choice is made
    device: str
    perceptual: dict[str, Any]
    seed: int


@dataclass(kw_only=True)
class PersonSettings(NetworkSettings):
    """Also of the source images: conf/source.yaml."""

    finetune: FineTuneSettings | None
    source: list[str]
    T: str
    consent: str | None


@dataclass(kw_only=True)
class DrivenSettings(PersonSettings):
    """Keys of the verbs that also take a saved model and a strength, and write marked outputs."""

    person: str | None
    size: int | None
    strength: Strength
    provenance: ProvenanceOptions


@dataclass(kw_only=True)
class Animate(DrivenSettings):
    """Keys of `headmime animate`: conf/animate.yaml."""

    driving: str
    out: str
    motion: str | None
    output: str
    fps: float | None
    start: float
    end: float | None
    audio: str
    pairs: str | None


@dataclass(kw_only=True)
class Demo(PersonSettings):
    """Keys of `headmime demo`: conf/demo.yaml."""

    driving: str
    out: str
    provenance: ProvenanceOptions


@dataclass(kw_only=True)
class Finetune(PersonSettings):
    """Keys of `headmime finetune`: conf/finetune.yaml."""

    out: str


@dataclass
class Export:
    """Keys of `headmime export`: conf/export.yaml."""

    person: str
    out: str


def animate_one(settings: Animate, person: Person, detector: Detector | None) -> Path:
    """Animate the person as `settings` say; return the path of the output."""
    with progress("Reading the motion") as on_frame:
        animation = api.animate(
            person,
            settings.driving,
            settings.motion,
            detector,
            on_frame,
            output=settings.output,
            fps=settings.fps,
            start=settings.start,
            end=settings.end,
            audio=settings.audio,
            strength=settings.strength,
        )
    with progress("Frames") as on_frame:
        return api.save(animation, settings.out, settings.size, on_frame, settings.provenance)


def check_animate(settings: Animate) -> None:
    """HeadmimeError, before any work, for what is missing or misspelt."""
    for key in ("driving", "out"):
        if not getattr(settings, key):
            raise HeadmimeError(f"{key}= is missing; --help lists the keys.")
    check_driven(settings)
    inputs = [find_driving(settings.driving)]
    still = is_still(inputs[0])
    if settings.audio not in ("none", "driving"):
        inputs.append(api.find_audio(settings.audio))
    if settings.source:
        inputs += find_files(settings.source)
    output_path(settings.out, inputs=inputs)
    check_still(still, settings.out)
    check_strength(settings.strength, choose_motion(settings.motion, still))
    check_output(settings.output)
    if settings.output == "full" and settings.person:
        raise HeadmimeError(NO_SCENE)
    api.check_times(settings.fps, settings.start, settings.end)
    api.check_still_keys(still, settings.fps, settings.start, settings.end, settings.audio)


def demo(settings: Demo) -> None:
    """Check what can be checked, fine-tune on the image, write three files, name them."""
    settings.source = settings.source or [str(MONA_LISA)]
    find_driving(settings.driving)
    check(settings)
    prepare_marking(settings.provenance)
    paths = {
        output_path(f"{settings.out}/mona_lisa.{suffix}"): text
        for suffix, text in DEMO_OUTPUTS.items()
    }
    detector = instantiate(settings.detector)
    person = make_person(settings, detector)
    animation = api.animate(person, settings.driving, detector=detector)
    for path in paths:
        with progress(path.name) as on_frame:
            api.save(animation, path, on_frame=on_frame, marks=settings.provenance)
    for path, text in paths.items():
        print(f"{path}  ({text})")


def finetune(settings: Finetune) -> None:
    """Check what can be checked, fine-tune, save for `headmime animate person=`."""
    check(settings)
    out = Path(settings.out).expanduser().absolute()
    if out.is_dir():
        out = out / "person"
    make_person(settings, instantiate(settings.detector)).save(out)
    print(f"Saved; use it as person={out}")


def export(settings: Export) -> None:
    """Check what can be checked, write a saved person as an ONNX file."""
    out = Path(settings.out).expanduser()
    if out.suffix.lower() != ".onnx" or out.is_dir():
        raise HeadmimeError(f"out={settings.out}: the name of a file that ends in .onnx is needed.")
    person_stem(settings.person)
    check_onnx()
    for chatty in ("onnxscript", "onnx_ir"):  # they tell of every constant that they fold
        logging.getLogger(chatty).setLevel(logging.ERROR)
    person = load_person(settings.person)
    G = person.generator
    notes = {
        "generated_by": "headmime: images from this network are AI-generated",
        "consent": person.consent.value,
        "detector": person.record["detector"],
        "origin": json.dumps(person.record["origin"]),
    }
    print(write_onnx(out, for_inference(G, G.psi), person.shape.image_size, notes))


def check_driven(settings: DrivenSettings) -> None:
    """HeadmimeError, before any work, for what is missing or misspelt."""
    if bool(settings.source) == bool(settings.person):
        raise HeadmimeError("Give either source= (images, videos) or person= (a saved model).")
    check_size(settings.size)
    prepare_marking(settings.provenance)
    if settings.person:
        person_stem(settings.person)
        parse_consent(settings.consent)
        torch_device(settings.device)
    else:
        check(settings)


def check(settings: PersonSettings) -> None:
    """HeadmimeError, before any work, for what is missing or misspelt."""
    stated_consent(settings)
    parse_count(settings.T)
    find_files(settings.source)
    weights_stem(settings.weights)
    torch_device(settings.device)


def stated_consent(settings: PersonSettings) -> str:
    """The user's word. The bundled images need none; HeadmimeError if others are without."""
    files = find_files(settings.source)
    if not settings.consent and all(ASSETS in file.resolve().parents for file in files):
        return Consent.PUBLIC_DOMAIN.value
    return required_consent(settings.consent).value


def find_person(
    settings: DrivenSettings,
    detector: Detector | None,
    networks: tuple[Model, Frozen | None] | None = None,
) -> Person:
    """The saved person, or one made from the images (with `networks`, if they are loaded)."""
    if not settings.person:
        return make_person(settings, detector, networks)
    person = load_person(settings.person, torch_device(settings.device))
    return replace(person, consent=required_consent(settings.consent or person.consent.value))


def load_networks(settings: PersonSettings) -> tuple[Model, Frozen | None]:
    """The meta-learned networks, and those of L_CNT if they are needed."""
    perceptual = instantiate(settings.perceptual) if settings.finetune else None
    return load(settings.weights, settings.device), perceptual


def make_person(
    settings: PersonSettings,
    detector: Detector | None,
    networks: tuple[Model, Frozen | None] | None = None,
) -> Person:
    """Load the networks, unless they are given, and make the person's own from the images.

    `detector`: None is the one that the networks learned from.
    """
    model, perceptual = networks or load_networks(settings)
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
