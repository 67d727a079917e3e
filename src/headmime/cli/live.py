"""`headmime live`: a person moves as somebody before the camera does, in a window or a file."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import hydra
import numpy as np
import torch
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf

from headmime.animate.media_writer import output_path
from headmime.animate.person import Person
from headmime.animate.sources import find_files
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.person import DrivenSettings, check_driven, find_person
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector
from headmime.live.camera import frame_rate, is_webcam
from headmime.live.landmark_worker import FaceObservation, watch
from headmime.live.live_animator import LiveAnimator, Tell, run_live
from headmime.live.throughput import Throughput
from headmime.live.video_writer import LiveVideoWriter
from headmime.live.window import Window
from headmime.progress import console
from headmime.provenance.marking import add_label
from headmime.provenance.statement import ProvenanceOptions

WINDOW, SMALLEST = "window", 256


@dataclass
class Live(DrivenSettings):
    """Every key of `headmime live`; conf/live.yaml says what they mean."""

    driving: str = MISSING
    out: str = MISSING


ConfigStore.instance().store("live_schema", Live)


@hydra.main(config_path=str(conf_folder()), config_name="live", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, make or load the person, play until the driving or Ctrl-C ends."""
    settings: Live = OmegaConf.to_object(config)
    _check(settings)
    rate = frame_rate(settings.driving)
    finder = None if settings.person else instantiate(settings.detector)
    person = find_person(settings, finder)
    size = settings.size or max(SMALLEST, person.shape.image_size)
    # One core looks, the others make frames.
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - 1))
    animator, look = LiveAnimator(person), _detector(settings, person)
    with watch(settings.driving, look) as sights, _line() as tell:
        if settings.out == WINDOW:
            pace = _in_window(animator, sights, size, settings.provenance, tell)
        else:
            with LiveVideoWriter(settings.out, rate, person.statement, settings.provenance) as film:
                pace = run_live(animator, sights, size, film.add, tell)
    if settings.out != WINDOW:
        print(film.path)
    print(pace)


def _check(settings: Live) -> None:
    check_driven(settings)
    if not is_webcam(settings.driving) and not Path(settings.driving).expanduser().is_file():
        raise HeadmimeError(
            f"driving={settings.driving}: there is no such file; give webcam, the number of a "
            "camera, or a video."
        )
    inputs = [*find_files(settings.source)] if settings.source else []
    inputs += [] if is_webcam(settings.driving) else [settings.driving]
    if settings.out != WINDOW and output_path(settings.out, inputs=inputs).suffix.lower() != ".mp4":
        raise HeadmimeError(f"out={settings.out} should be {WINDOW} or end in .mp4.")


def _detector(settings: Live, person: Person) -> Callable[[], Detector]:
    """What makes the detector, in the process that looks."""
    if settings.detector:
        return partial(instantiate, settings.detector)
    return partial(load_detector, person.record["detector"])


def _in_window(
    animator: LiveAnimator,
    sights: Iterator[FaceObservation],
    size: int,
    marks: ProvenanceOptions,
    tell: Tell,
) -> Throughput:
    window = Window()

    def show(frame: np.ndarray, taken: float) -> bool:
        if window.took_again():
            animator.again()
        window.show(next(add_label([frame])) if marks.label else frame)
        return not window.closed

    try:
        return run_live(animator, sights, size, show, tell)
    finally:
        window.close()


@contextmanager
def _line() -> Iterator[Tell]:
    """A line that says how it goes, as long as it goes."""
    with console.status("Looking ...") as status:
        yield lambda pace: status.update(str(pace))
