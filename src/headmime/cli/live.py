"""`headmime live`: animate a person in real time from a webcam or a video."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate

from headmime.animate.driving import is_still
from headmime.animate.media_writer import output_path
from headmime.animate.person import Person
from headmime.animate.sources import find_files
from headmime.animate.strength import check_strength
from headmime.cli.person import DrivenSettings, check_driven, find_person
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector
from headmime.live.camera import frame_rate, is_webcam
from headmime.live.landmark_worker import FaceObservation, observe_faces
from headmime.live.live_animator import LiveAnimator, Report, run_live
from headmime.live.throughput import Throughput
from headmime.live.video_writer import LiveVideoWriter
from headmime.live.window import Window
from headmime.progress import console
from headmime.provenance.marking import add_label
from headmime.provenance.statement import ProvenanceOptions

WINDOW, MIN_SIDE = "window", 256


@dataclass(kw_only=True)
class Live(DrivenSettings):
    """Keys of `headmime live`: conf/live.yaml."""

    driving: str
    out: str


def main(settings: Live) -> None:
    """Check the settings, make or load the person, run until the driving ends or Ctrl-C."""
    _check(settings)
    rate = frame_rate(settings.driving)
    finder = None if settings.person else instantiate(settings.detector)
    person = find_person(settings, finder)
    size = settings.size or max(MIN_SIDE, person.shape.image_size)
    # One core detects landmarks, the others generate frames.
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) - 1))
    animator, make_detector = (
        LiveAnimator(person, settings.strength),
        _detector_factory(settings, person),
    )
    with observe_faces(settings.driving, make_detector) as observations, _status() as report:
        if settings.out == WINDOW:
            path = None
            throughput = _show_window(animator, observations, size, settings.provenance, report)
        else:
            with LiveVideoWriter(
                settings.out, rate, person.statement, settings.provenance
            ) as writer:
                throughput = run_live(animator, observations, size, writer.add, report)
            path = writer.path
    if path is not None:
        print(path)
    print(throughput)


def _check(settings: Live) -> None:
    check_driven(settings)
    check_strength(settings.strength)
    if not is_webcam(settings.driving) and not Path(settings.driving).expanduser().is_file():
        raise HeadmimeError(
            f"driving={settings.driving}: there is no such file; give webcam, the number of a "
            "camera, or a video."
        )
    if not is_webcam(settings.driving) and is_still(Path(settings.driving).expanduser()):
        raise HeadmimeError(
            f"driving={settings.driving} is one image: `headmime animate` takes it."
        )
    inputs = [*find_files(settings.source)] if settings.source else []
    inputs += [] if is_webcam(settings.driving) else [settings.driving]
    if settings.out != WINDOW and output_path(settings.out, inputs=inputs).suffix.lower() != ".mp4":
        raise HeadmimeError(f"out={settings.out} should be {WINDOW} or end in .mp4.")


def _detector_factory(settings: Live, person: Person) -> Callable[[], Detector]:
    """Return a picklable constructor of the detector, for the landmark process."""
    if settings.detector:
        return partial(instantiate, settings.detector)
    return partial(load_detector, person.record["detector"])


def _show_window(
    animator: LiveAnimator,
    observations: Iterator[FaceObservation],
    size: int,
    marks: ProvenanceOptions,
    report: Report,
) -> Throughput:
    window = Window()

    def show(frame: np.ndarray, taken: float) -> bool:
        if window.take_reset():
            animator.reset()
        window.show(next(add_label([frame])) if marks.label else frame)
        return not window.closed

    try:
        return run_live(animator, observations, size, show, report)
    finally:
        window.close()


@contextmanager
def _status() -> Iterator[Report]:
    """Status line with the current throughput."""
    with console.status("Waiting for a face ...") as status:
        yield lambda throughput: status.update(str(throughput))
