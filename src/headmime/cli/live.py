"""`headmime live`: a person moves as somebody before the camera does, in a window or a file."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import hydra
import numpy as np
import torch
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf

from headmime.animate.api import check_size
from headmime.animate.media import media_path
from headmime.animate.model import torch_device
from headmime.animate.person import Person, load_person, person_stem
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.person import PersonSettings, check, make_person
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import Detector, detector
from headmime.live.camera import frame_rate, is_webcam
from headmime.live.eyes import Sight, watching
from headmime.live.film import Film
from headmime.live.mime import Mime
from headmime.live.pace import Pace
from headmime.live.perform import Tell, perform
from headmime.live.window import Window
from headmime.progress import console
from headmime.provenance.consent import required_consent
from headmime.provenance.label import labelled
from headmime.provenance.marks import Marks
from headmime.provenance.ready import ready

WINDOW, SMALLEST = "window", 256


@dataclass
class Live(PersonSettings):
    """Every key of `headmime live`; conf/live.yaml says what they mean."""

    person: str | None = None
    driving: str = MISSING
    out: str = MISSING
    size: int | None = None
    provenance: Marks = field(default_factory=Marks)


ConfigStore.instance().store("live_schema", Live)


@hydra.main(config_path=str(conf_folder()), config_name="live", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, make or load the person, play until the driving or Ctrl-C ends."""
    settings: Live = OmegaConf.to_object(config)
    _check(settings)
    rate = frame_rate(settings.driving)
    person = _person(settings)
    size = settings.size or max(SMALLEST, person.shape.image_size)
    # One core looks, the others make frames.
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - 1))
    mime, look = Mime(person), _detector(settings, person)
    with watching(settings.driving, look) as sights, _line() as tell:
        if settings.out == WINDOW:
            pace = _in_window(mime, sights, size, settings.provenance, tell)
        else:
            with Film(settings.out, rate, person.making, settings.provenance) as film:
                pace = perform(mime, sights, size, film.add, tell)
    if settings.out != WINDOW:
        print(film.path)
    print(pace)


def _check(settings: Live) -> None:
    if bool(settings.source) == bool(settings.person):
        raise HeadmimeError("Give either source= (pictures, videos) or person= (a saved model).")
    if not is_webcam(settings.driving) and not Path(settings.driving).expanduser().is_file():
        raise HeadmimeError(
            f"driving={settings.driving}: there is no such file; give webcam, the number of a "
            "camera, or a video."
        )
    if settings.out != WINDOW and media_path(settings.out).suffix.lower() != ".mp4":
        raise HeadmimeError(f"out={settings.out} should be {WINDOW} or end in .mp4.")
    check_size(settings.size)
    ready(settings.provenance)
    if settings.person:
        person_stem(settings.person)
        torch_device(settings.device)
    else:
        check(settings)


def _person(settings: Live) -> Person:
    if not settings.person:
        return make_person(settings, instantiate(settings.detector))
    person = load_person(settings.person, torch_device(settings.device))
    return replace(person, consent=required_consent(settings.consent or person.consent.value))


def _detector(settings: Live, person: Person) -> Callable[[], Detector]:
    """What makes the detector, in the process that looks."""
    if settings.detector:
        return partial(instantiate, settings.detector)
    return partial(detector, person.record["detector"])


def _in_window(mime: Mime, sights: Iterator[Sight], size: int, marks: Marks, tell: Tell) -> Pace:
    window = Window()

    def show(frame: np.ndarray, taken: float) -> bool:
        if window.took_again():
            mime.again()
        window.show(next(labelled([frame])) if marks.label else frame)
        return not window.closed

    try:
        return perform(mime, sights, size, show, tell)
    finally:
        window.close()


@contextmanager
def _line() -> Iterator[Tell]:
    """A line that says how it goes, as long as it goes."""
    with console.status("Looking ...") as status:
        yield lambda pace: status.update(str(pace))
