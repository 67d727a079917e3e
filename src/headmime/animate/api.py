"""The Python API: load, personalise, animate, save. The command line calls these same functions."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from headmime.animate.animation import Animation, animation
from headmime.animate.driving import TEMPLATE, find_driving, load_template, load_video
from headmime.animate.media import write_media
from headmime.animate.model import Model, load
from headmime.animate.motion import check_motion
from headmime.animate.person import Person, person_from
from headmime.animate.poses import spread
from headmime.animate.sheet import contact_sheet
from headmime.animate.sources import MOST, find_files, load_sources
from headmime.animate.steps import OnFrame, reported
from headmime.landmarks.detect import Detector
from headmime.landmarks.detect import detector as detector_named
from headmime.learning.finetune import FineTuneSettings, OnStep
from headmime.provenance.consent import parse_consent
from headmime.provenance.marks import Marks

__all__ = ["animate", "load", "personalise", "save"]

log = logging.getLogger(__name__)
SHEET_COLUMNS = 6
VIEWING_HEIGHT = 256  # pixels: small models' videos are enlarged to at least this


def personalise(
    model: Model,
    sources: Sequence[str | Path],
    frames: int = MOST,
    finetune: FineTuneSettings | None = None,
    perceptual: nn.Module | None = None,
    consent: str | None = None,
    detector: Detector | None = None,
    on_step: OnStep | None = None,
) -> Person:
    """One person's model from pictures, folders, globs and videos of that person.

    At most `frames` frames are used. Without `finetune` the result is feed-forward (instant); with
    it, it is fine-tuned and needs `perceptual`, the frozen networks of L_CNT. `consent`: own,
    licensed, public-domain or research. `detector`: another one than the model's.
    Raises HeadmimeError for whatever is missing, unreadable or without a face.
    """
    stated = parse_consent(consent)
    files = find_files(sources)
    finder = choose_detector(detector, model.detector)
    found = load_sources(files, frames, model.shape.image_size, finder)
    return person_from(model, found, finetune, perceptual, stated, on_step)


def animate(
    person: Person,
    driving: str | Path,
    motion: str = "relative",
    detector: Detector | None = None,
    on_frame: OnFrame | None = None,
) -> Animation:
    """`person` moved by a video, a template file, or a bundled motion by its name (such as "talk").

    `motion`: "relative" keeps the person's own face and adds the driving's changes; "absolute" uses
    the driving's landmarks as they are. Frames are made while the result is read.
    """
    check_motion(motion)
    file = find_driving(driving)
    if file.suffix.lower() == TEMPLATE:
        return animation(person, load_template(file), motion)
    finder = choose_detector(detector, person.record["detector"])
    return animation(person, load_video(file, finder, on_frame), motion)


def save(
    animation: Animation,
    path: str | Path,
    scale: int | None = None,
    on_frame: OnFrame | None = None,
    marks: Marks | None = None,
) -> Path:
    """Write an animation as .mp4 or .gif, or a contact sheet of it as .png; return the path.

    The file is marked as AI-generated, with the person's consent; `marks` may turn marks off.
    `scale` enlarges a video for viewing only; None: to at least 256 pixels.
    """
    if Path(path).suffix.lower() == ".png":
        sheet = reported([_sheet(animation)], 1, on_frame)
        return write_media(path, sheet, animation.fps, animation.making, marks)
    scale = scale or viewing_scale(animation.size)
    if scale > 1:
        log.info(
            "%s: frames of %d pixels, enlarged %d times for viewing (bicubic).",
            Path(path).name,
            animation.size,
            scale,
        )
    frames = reported(animation, len(animation), on_frame)
    return write_media(path, frames, animation.fps, animation.making, marks, scale)


def _sheet(animation: Animation) -> np.ndarray:
    """The moments that differ most, in the order of time."""
    moments = sorted(spread(animation.landmarks, SHEET_COLUMNS))
    landmarks = animation.landmarks[moments]
    person = animation.person
    return contact_sheet(person.portrait, landmarks, person.animator(landmarks))


def viewing_scale(size: int) -> int:
    """The whole factor that brings frames of `size` pixels to at least 256."""
    return -(-VIEWING_HEIGHT // size)


def choose_detector(wanted: Detector | None, learned: str) -> Detector:
    """The landmark source that a model was trained with, or another one if the user insists."""
    if wanted is None:
        return detector_named(learned)
    if wanted.name != learned:
        log.warning(
            "detector=%s, but the model learned from the points of %s, which lie elsewhere.",
            wanted.name,
            learned,
        )
    return wanted
