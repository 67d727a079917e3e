"""Checks of uploads, by content rather than file name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from headmime.animate.driving import TEMPLATE, is_still, load_template
from headmime.animate.person import load_person
from headmime.data.image_reader import read_image
from headmime.data.video_reader import decode_video, read_video, read_video_info
from headmime.errors import HeadmimeError

PERSON = ".safetensors"
MEGA = 1_000_000


@dataclass
class Limits:
    """The keys `limits.*`.

    Maxima: `pictures`: files of a person; `megabytes` of one file; `megapixels` of an image or
    frame; `seconds` of a video.
    """

    pictures: int = 32
    megabytes: int = 200
    megapixels: int = 64
    seconds: int = 60


def check_sources(files: Sequence[Path], limits: Limits) -> None:
    """Raise HeadmimeError for the first file that is no image, video or saved person, or exceeds
    a limit.
    """
    if len(files) > limits.pictures:
        raise HeadmimeError(f"These are {len(files)} files; at most {limits.pictures} are allowed.")
    for file in files:
        if file.suffix.lower() != PERSON:
            _check_media(file, limits)
            continue
        _check_size(file, limits)
        if len(files) > 1:
            raise HeadmimeError(f"{file} is a saved person: give it alone, without photos.")
        load_person(file)


def _check_media(file: Path, limits: Limits) -> None:
    """Raise HeadmimeError unless `file` is an image or a video within the limits."""
    _check_size(file, limits)
    if _is_image(file, limits):
        return
    try:
        read_video_info(file)
    except HeadmimeError as error:
        raise HeadmimeError(
            f"{file} cannot be read, neither as a photo nor as a video: drop a JPEG, PNG, WebP "
            "or HEIC, or an mp4."
        ) from error
    check_clip(file, limits)


def check_clip(file: Path, limits: Limits) -> None:
    """Raise HeadmimeError unless `file` is a video within the limits."""
    _check_size(file, limits)
    info = read_video_info(file)
    _check_pixels(file, info.width * info.height, limits)
    if info.duration > limits.seconds or (
        not info.duration and _lasts_longer(file, limits.seconds)
    ):
        raise HeadmimeError(
            f"{file} lasts longer than the {limits.seconds} seconds that are allowed: cut it."
        )


def check_driving(file: Path, limits: Limits) -> None:
    """Raise HeadmimeError unless `file` is a template, or an image or a video within the limits."""
    if file.suffix.lower() == TEMPLATE:
        _check_size(file, limits)
        load_template(file)
    elif is_still(file):
        _check_media(file, limits)
    else:
        check_clip(file, limits)


def first_frame(file: Path, limits: Limits) -> np.ndarray:
    """Read an image, or the first frame of a video: uint8 RGB [H, W, 3], or HeadmimeError."""
    if _is_image(file, limits):
        return read_image(file)
    return next(read_video(file))[0]


def _is_image(file: Path, limits: Limits) -> bool:
    try:
        with Image.open(file) as image:
            _check_pixels(file, image.width * image.height, limits)
            return True
    except HeadmimeError:
        raise
    except OSError:
        return False
    except Image.DecompressionBombError as error:
        raise HeadmimeError(f"{file} is too large a photo: make it smaller.") from error
    except Exception:  # whatever a decoder raises: an image, but a damaged one
        return True


def _lasts_longer(file: Path, seconds: float) -> bool:
    """Return whether a file without a stated duration (a browser's recording) is longer."""
    return any(frame.time > seconds for frame in decode_video(file))


def _check_size(file: Path, limits: Limits) -> None:
    if not file.is_file():
        raise HeadmimeError(f"{file} is gone: old uploads are deleted. Drop it again.")
    size = file.stat().st_size
    if size > limits.megabytes * MEGA:
        raise HeadmimeError(
            f"{file} has {size / MEGA:.0f} MB; at most {limits.megabytes} MB are allowed."
        )


def _check_pixels(file: Path, pixels: int, limits: Limits) -> None:
    if pixels > limits.megapixels * MEGA:
        raise HeadmimeError(
            f"{file} has {pixels / MEGA:.0f} megapixels; at most {limits.megapixels} are allowed: "
            "make it smaller."
        )
