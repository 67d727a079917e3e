"""`headmime animate`: a person's pictures (or saved model), a driving, a video."""

from dataclasses import dataclass, field, replace

import hydra
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf

from headmime.animate import api
from headmime.animate.animation import NO_PICTURE, check_output
from headmime.animate.driving import find_driving
from headmime.animate.media import media_path
from headmime.animate.model import torch_device
from headmime.animate.motion import check_motion
from headmime.animate.person import Person, load_person, person_stem
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.person import PersonSettings, check, make_person
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import Detector
from headmime.progress import progress
from headmime.provenance.consent import parse_consent, required_consent
from headmime.provenance.marks import Marks
from headmime.provenance.ready import ready


@dataclass
class Animate(PersonSettings):
    """Every key of `headmime animate`; conf/animate.yaml says what they mean."""

    person: str | None = None
    driving: str | None = None
    out: str | None = None
    motion: str = MISSING
    output: str = MISSING
    size: int | None = None
    fps: float | None = None
    start: float = 0.0
    end: float | None = None
    audio: str = MISSING
    provenance: Marks = field(default_factory=Marks)


ConfigStore.instance().store("animate_schema", Animate)


@hydra.main(config_path=str(conf_folder()), config_name="animate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, make or load the person, write the video."""
    settings: Animate = OmegaConf.to_object(config)
    _check(settings)
    detector = instantiate(settings.detector)
    person = _person(settings, detector)
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
        )
    with progress("Frames") as on_frame:
        print(api.save(animation, settings.out, settings.size, on_frame, settings.provenance))


def _check(settings: Animate) -> None:
    for key in ("driving", "out"):
        if not getattr(settings, key):
            raise HeadmimeError(f"{key}= is missing; `headmime animate --help` explains the keys.")
    if bool(settings.source) == bool(settings.person):
        raise HeadmimeError("Give either source= (pictures, videos) or person= (a saved model).")
    find_driving(settings.driving)
    media_path(settings.out)
    check_motion(settings.motion)
    check_output(settings.output)
    if settings.output == "full" and settings.person:
        raise HeadmimeError(NO_PICTURE)
    api.check_size(settings.size)
    api.check_times(settings.fps, settings.start, settings.end)
    if settings.audio not in ("none", "driving"):
        api.find_audio(settings.audio)
    ready(settings.provenance)
    if settings.person:
        person_stem(settings.person)
        parse_consent(settings.consent)
        torch_device(settings.device)
    else:
        check(settings)


def _person(settings: Animate, detector: Detector | None) -> Person:
    if not settings.person:
        return make_person(settings, detector)
    person = load_person(settings.person, torch_device(settings.device))
    return replace(person, consent=required_consent(settings.consent or person.consent.value))
