"""The Python API: load, personalise, animate, save, verify. The CLI calls these same functions."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from torch import nn

from headmime.animate.animation import Animation, animation, check_output
from headmime.animate.driving import (
    TEMPLATE,
    Driving,
    find_driving,
    load_template,
    load_video,
    resampled,
    trimmed,
)
from headmime.animate.media import write_media
from headmime.animate.model import Model, load
from headmime.animate.motion import check_motion
from headmime.animate.person import Person, person_from
from headmime.animate.poses import spread
from headmime.animate.recipes import recipe
from headmime.animate.sheet import contact_sheet
from headmime.animate.sound import Sound, has_sound
from headmime.animate.sources import MOST, find_files, load_sources
from headmime.animate.steps import OnFrame, reported
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import detector as detector_named
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings, OnStep
from headmime.pretrained.efficientnet import efficientnet_lite0
from headmime.provenance.consent import parse_consent
from headmime.provenance.making import Kind
from headmime.provenance.marks import Marks
from headmime.provenance.verdict import verify

__all__ = ["animate", "load", "personalise", "save", "verify"]

log = logging.getLogger(__name__)
SHEET_COLUMNS = 6
LARGEST = 8192  # pixels: what players can still show
FASTEST = 120  # frames a second


def personalise(
    model: Model,
    sources: Sequence[str | Path],
    frames: int = MOST,
    finetune: FineTuneSettings | str | None = "default",
    perceptual: nn.Module | None = None,
    consent: str | None = None,
    detector: Detector | None = None,
    on_step: OnStep | None = None,
) -> Person:
    """One person's model from pictures, folders, globs and videos of that person.

    At most `frames` frames are used. `finetune`: "default" (better, a minute or so), "paper", own
    settings, or "none" (or None): feed-forward, instant. `perceptual`: the frozen networks of
    L_CNT; None: EfficientNet-Lite0, which comes with the installation. `consent`: own, licensed,
    public-domain or research. `detector`: another one than the model's.
    Raises HeadmimeError for whatever is missing, unreadable or without a face.
    """
    stated = parse_consent(consent)
    settings = recipe(finetune) if isinstance(finetune, str) else finetune
    files = find_files(sources)
    finder = choose_detector(detector, model.detector)
    found = load_sources(files, frames, model.shape.image_size, finder)
    if settings is not None and perceptual is None:
        perceptual = efficientnet_lite0(side=None)
    return person_from(model, found, settings, perceptual, stated, on_step)


def animate(
    person: Person,
    driving: str | Path,
    motion: str = "relative",
    detector: Detector | None = None,
    on_frame: OnFrame | None = None,
    *,
    output: str = "crop",
    fps: float | Fraction | None = None,
    start: float = 0.0,
    end: float | None = None,
    audio: str | Path = "driving",
) -> Animation:
    """`person` moved by a video, a template file, or a bundled motion by its name (such as "talk").

    `motion`: "relative" keeps the person's own face and adds the driving's changes; "absolute" uses
    the driving's landmarks as they are. `output`: "crop", or "full": the head moves in the whole
    picture. `fps`: frames a second, at the same speed; None: the driving's (a whole fraction of it,
    if these are over 60). `start`, `end`: the part of the driving to use, in seconds. `audio`:
    "driving" (what is heard in it, if anything), "none", or a file. Frames are made while the
    result is read.
    """
    check_motion(motion)
    check_output(output)
    check_times(fps, start, end)
    file = find_driving(driving)
    heard = None if str(audio) in ("none", "driving") else find_audio(audio)
    if file.suffix.lower() == TEMPLATE:
        read = trimmed(load_template(file), start, end)
    else:
        finder = choose_detector(detector, person.record["detector"])
        read = load_video(file, finder, on_frame, start, end)
    if fps is not None:
        read = resampled(read, Fraction(fps).limit_denominator(1001))
    return animation(person, _heard(read, str(audio), heard), motion, output)


def _heard(driving: Driving, audio: str, heard: Path | None) -> Driving:
    if audio == "driving":
        return driving
    return replace(driving, sound=None if heard is None else Sound(heard))


def find_audio(audio: str | Path) -> Path:
    """A file with sound, by path; HeadmimeError if it is none."""
    path = Path(audio).expanduser()
    if not path.is_file():
        raise HeadmimeError(f"audio={audio}: there is no such file; give none, driving or a file.")
    if not has_sound(path):
        raise HeadmimeError(f"audio={audio}: the file has no sound that FFmpeg can read.")
    return path.absolute()


def check_times(fps: float | Fraction | None, start: float, end: float | None) -> None:
    """HeadmimeError for a frame rate or a part of a driving that cannot be."""
    if fps is not None and not 1 <= fps <= FASTEST:
        raise HeadmimeError(f"fps={fps} should be from 1 to {FASTEST}.")
    if not 0 <= start < math.inf:
        raise HeadmimeError(f"start={start} should be 0 or more, in seconds.")
    if end is not None and not start < end < math.inf:
        raise HeadmimeError(f"end={end} should be later than start={start}, in seconds.")


def check_size(size: int | None) -> None:
    """HeadmimeError for a size that no video has."""
    if size is not None and not 16 <= size <= LARGEST:
        raise HeadmimeError(f"size={size} should be from 16 to {LARGEST} pixels.")


def save(
    animation: Animation,
    path: str | Path,
    size: int | None = None,
    on_frame: OnFrame | None = None,
    marks: Marks | None = None,
) -> Path:
    """Write an animation as .mp4 or .gif, or a contact sheet of it as .png; return the path.

    The file is marked as AI-generated, with the person's consent; `marks` may turn marks off.
    `size`: the longer side of a video's frames in pixels; None: see `Animation.viewing_size`.
    """
    check_size(size)
    if Path(path).suffix.lower() == ".png":
        sheet = reported([_sheet(animation)], 1, on_frame)
        making = replace(animation.making, kind=Kind.COMPOSITE)  # the source and the landmarks
        return write_media(path, sheet, animation.fps, making, marks)
    size = size or animation.viewing_size
    if animation.scene is None and size > animation.size:
        log.info(
            "%s: frames of %d pixels, enlarged to %d for viewing (bicubic).",
            Path(path).name,
            animation.size,
            size,
        )
    if animation.sound is not None and Path(path).suffix.lower() == ".gif":
        log.info("%s: a GIF has no sound.", Path(path).name)
    frames = reported(animation.frames(size), len(animation), on_frame)
    return write_media(path, frames, animation.fps, animation.making, marks, sound=animation.sound)


def _sheet(animation: Animation) -> np.ndarray:
    """The moments that differ most, in the order of time."""
    moments = sorted(spread(animation.landmarks, SHEET_COLUMNS))
    landmarks = animation.landmarks[moments]
    person = animation.person
    return contact_sheet(person.portrait, landmarks, person.animator(landmarks))


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
