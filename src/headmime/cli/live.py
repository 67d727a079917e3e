"""`headmime live`: animate a person in real time from a webcam or a video."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate

from headmime.animate.driving import is_still
from headmime.animate.media_writer import output_path
from headmime.animate.sources import find_files
from headmime.animate.strength import check_strength
from headmime.cli.person import DrivenSettings, check_driven, find_person
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import load_detector
from headmime.live.camera import frame_rate, is_webcam
from headmime.live.landmark_worker import FaceObservation, observe_faces
from headmime.live.live_animator import LiveAnimator, Report, run_live
from headmime.live.throughput import Throughput
from headmime.live.video_writer import LiveVideoWriter
from headmime.live.window import Window
from headmime.progress import console
from headmime.provenance.marking import add_label
from headmime.provenance.statement import ProvenanceOptions
from headmime.threads import available_cores

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
    torch.set_num_threads(max(1, available_cores() - 1))
    animator, marks = LiveAnimator(person, settings.strength), settings.provenance
    make_detector = partial(load_detector, person.record["detector"])  # in the landmark process
    if settings.detector:
        make_detector = partial(instantiate, settings.detector)
    with (
        observe_faces(settings.driving, make_detector) as observations,
        console.status("Waiting for a face ...") as status,
    ):

        def report(throughput: Throughput) -> None:
            status.update(str(throughput))

        if settings.out == WINDOW:
            throughput = _show_window(animator, observations, size, marks, report)
        else:
            with LiveVideoWriter(settings.out, rate, person.statement, marks) as writer:
                throughput = run_live(animator, observations, size, writer.add, report)
            print(writer.path)
    print(throughput)


def _check(settings: Live) -> None:
    check_driven(settings)
    check_strength(settings.strength)
    inputs = [*find_files(settings.source)] if settings.source else []
    if not is_webcam(settings.driving):
        file = Path(settings.driving).expanduser()
        if not file.is_file():
            raise HeadmimeError(
                f"driving={settings.driving}: there is no such file; give webcam, the number of a "
                "camera, or a video."
            )
        if is_still(file):
            raise HeadmimeError(
                f"driving={settings.driving} is one image: `headmime animate` takes it."
            )
        inputs.append(file)
    if settings.out != WINDOW and output_path(settings.out, inputs=inputs).suffix.lower() != ".mp4":
        raise HeadmimeError(f"out={settings.out} should be {WINDOW} or end in .mp4.")


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
