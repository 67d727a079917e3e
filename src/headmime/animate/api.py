"""The Python API: load, personalise, animate, save, verify. The CLI calls these same functions."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from torch import nn

from headmime.animate.animation import Animation, animation, check_output, save
from headmime.animate.driving import (
    TEMPLATE,
    Driving,
    find_driving,
    load_template,
    load_video,
    resample,
    trim,
)
from headmime.animate.model import Model, load
from headmime.animate.motion import check_motion
from headmime.animate.person import Person, finetune_settings, person_from_images
from headmime.animate.sound import Sound, has_sound
from headmime.animate.sources import MOST, find_files, load_sources
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import load_detector as detector_named
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings, OnStep
from headmime.pretrained.efficientnet import efficientnet_lite0
from headmime.progress import OnFrame
from headmime.provenance.statement import parse_consent
from headmime.provenance.verdict import verify

__all__ = ["animate", "load", "personalise", "save", "verify"]

log = logging.getLogger(__name__)
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
    settings = finetune_settings(finetune) if isinstance(finetune, str) else finetune
    files = find_files(sources)
    finder = choose_detector(detector, model.detector)
    found = load_sources(files, frames, model.shape.image_size, finder)
    if settings is not None and perceptual is None:
        perceptual = efficientnet_lite0(side=None)
    return person_from_images(model, found, settings, perceptual, stated, on_step)


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
    rate = None if fps is None else Fraction(fps).limit_denominator(1001)
    file = find_driving(driving)
    heard = None if str(audio) in ("none", "driving") else find_audio(audio)
    if file.suffix.lower() == TEMPLATE:
        read = trim(load_template(file), start, end)
        read = read if rate is None else resample(read, rate)
    else:
        finder = choose_detector(detector, person.record["detector"])
        read = load_video(file, finder, on_frame, start, end, rate)
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
