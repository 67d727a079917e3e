"""Python API: load, personalise, animate, save, verify. The CLI calls the same functions."""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from headmime.animate.animation import Animation, animation, check_output, save
from headmime.animate.driving import (
    TEMPLATE,
    Driving,
    find_driving,
    is_still,
    load_still,
    load_template,
    load_video,
    resample,
    trim,
)
from headmime.animate.model import Model, load
from headmime.animate.motion import choose_motion
from headmime.animate.person import Person, finetune_settings, person_from_images
from headmime.animate.sound import Sound, has_sound
from headmime.animate.sources import MAX_FRAMES, find_files, load_sources
from headmime.animate.strength import AS_DRIVEN, Strength, check_strength
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import load_detector as detector_named
from headmime.landmarks.faces import Detector
from headmime.learning.finetune import FineTuneSettings, OnStep
from headmime.pretrained.efficientnet import efficientnet_lite0
from headmime.pretrained.frozen import Frozen
from headmime.progress import OnFrame
from headmime.provenance.statement import parse_consent
from headmime.provenance.verdict import verify

__all__ = ["Strength", "animate", "load", "personalise", "save", "verify"]

log = logging.getLogger(__name__)
MAX_FPS = 120


def personalise(
    model: Model,
    sources: Sequence[str | Path],
    frames: int = MAX_FRAMES,
    finetune: FineTuneSettings | str | None = "fast",
    perceptual: Frozen | None = None,
    consent: str | None = None,
    detector: Detector | None = None,
    on_step: OnStep | None = None,
) -> Person:
    """Create one person's model from images, folders, globs and videos of that person.

    At most `frames` frames are used. `finetune`: "fast" (better, a minute or so), "paper", own
    settings, or "none" (or None): feed-forward, instant. `perceptual`: frozen networks of L_CNT;
    None: EfficientNet-Lite0, which is bundled. `consent`: own, licensed, public-domain or research.
    `detector`: overrides the model's landmark detector. Raises HeadmimeError if a source is
    missing, unreadable or shows no face.
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
    motion: str | None = None,
    detector: Detector | None = None,
    on_frame: OnFrame | None = None,
    *,
    output: str = "crop",
    fps: float | Fraction | None = None,
    start: float = 0.0,
    end: float | None = None,
    audio: str | Path = "driving",
    strength: Strength = AS_DRIVEN,
) -> Animation:
    """Animate `person` with a video, a template file, a bundled motion by name (such as "talk"), or
    an image.

    `motion`: "relative" transfers the driver's motion to the person's own face shape; "absolute"
    uses the driving landmarks unchanged; None: relative, but absolute for an image, which has no
    second frame from which a change could be measured. `output`: "crop", or "full": the head is
    pasted into the original image. `fps`: output frame rate at unchanged speed; None: the driving's
    (divided by an integer if over 60). `start`, `end`: part of the driving to use, in seconds.
    `audio`: "driving" (its sound track, if any), "none", or a file. `strength`: of relative motion,
    for head, mouth, eyes and expression (`headmime.Strength`). Frames are generated lazily, while
    the result is iterated.
    """
    file = find_driving(driving)
    still = is_still(file)
    motion = choose_motion(motion, still)
    check_strength(strength, motion)
    check_output(output)
    check_times(fps, start, end)
    check_still_keys(still, fps, start, end, audio)
    rate = None if fps is None else Fraction(fps).limit_denominator(1001)
    audio_file = None if str(audio) in ("none", "driving") else find_audio(audio)
    if file.suffix.lower() == TEMPLATE:
        loaded = trim(load_template(file), start, end)
        loaded = loaded if rate is None else resample(loaded, rate)
    else:
        finder = choose_detector(detector, person.record["detector"])
        if still:
            loaded = load_still(file, finder)
            log.info(
                "%s is one image, without a neutral frame from which a change could be measured: "
                "its landmarks are used as they are (motion=absolute).",
                file.name,
            )
        else:
            loaded = load_video(file, finder, on_frame, start, end, rate)
    return animation(
        person, _replace_sound(loaded, str(audio), audio_file), motion, output, strength
    )


def _replace_sound(driving: Driving, audio: str, file: Path | None) -> Driving:
    if audio == "driving":
        return driving
    return replace(driving, sound=None if file is None else Sound(file))


def find_audio(audio: str | Path) -> Path:
    """Absolute path of a file with sound; HeadmimeError if it does not exist or has none."""
    path = Path(audio).expanduser()
    if not path.is_file():
        raise HeadmimeError(f"audio={audio}: there is no such file; give none, driving or a file.")
    if not has_sound(path):
        raise HeadmimeError(f"audio={audio}: the file has no sound that FFmpeg can read.")
    return path.absolute()


def check_times(fps: float | Fraction | None, start: float, end: float | None) -> None:
    """Raise HeadmimeError for a frame rate or time range outside the valid ranges."""
    if fps is not None and not 1 <= fps <= MAX_FPS:
        raise HeadmimeError(f"fps={fps} should be from 1 to {MAX_FPS}.")
    if not 0 <= start < math.inf:
        raise HeadmimeError(f"start={start} should be 0 or more, in seconds.")
    if end is not None and not start < end < math.inf:
        raise HeadmimeError(f"end={end} should be later than start={start}, in seconds.")


def check_still_keys(
    still: bool, fps: float | Fraction | None, start: float, end: float | None, audio: str | Path
) -> None:
    """Raise HeadmimeError if an image is given what only a motion has."""
    timed = {"fps": fps, "start": start or None, "end": end}
    given = [f"{key}=" for key, value in timed.items() if value is not None]
    given += ["audio="] if str(audio) not in ("none", "driving") else []
    if still and given:
        raise HeadmimeError(f"{', '.join(given)} cannot be used: the driving is one image.")


def choose_detector(requested: Detector | None, trained_with: str) -> Detector:
    """Return the detector that a model was trained with, unless another one is requested."""
    if requested is None:
        return detector_named(trained_with)
    if requested.name != trained_with:
        log.warning(
            "detector=%s, but the model was trained with landmarks of %s, which differ.",
            requested.name,
            trained_with,
        )
    return requested
