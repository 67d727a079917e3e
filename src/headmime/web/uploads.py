"""What may be uploaded: by content, not by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from headmime.data.media_reader import decode_video, read_image, read_video, read_video_info
from headmime.errors import HeadmimeError

MEGA = 1_000_000


@dataclass
class Limits:
    """The keys `limits.*`.

    `pictures`: files of a person; `megabytes`: of one file; `megapixels`: of a picture or a frame;
    `seconds`: of a clip.
    """

    pictures: int = 32
    megabytes: int = 200
    megapixels: int = 64
    seconds: int = 60


def check_sources(files: Sequence[Path], limits: Limits) -> None:
    """HeadmimeError for the first file that is no picture or clip, or is too much of one."""
    if not files:
        raise HeadmimeError("There is no picture yet: drop pictures of a person, or a clip.")
    if len(files) > limits.pictures:
        raise HeadmimeError(f"These are {len(files)} files; at most {limits.pictures} are used.")
    for file in files:
        _check_size(file, limits)
        if not _is_picture(file, limits):
            _check_readable(file)
            check_clip(file, limits)


def _check_readable(file: Path) -> None:
    try:
        read_video_info(file)
    except HeadmimeError as error:
        raise HeadmimeError(
            f"{file} cannot be read, neither as a picture nor as a video: drop a JPEG, PNG, WebP "
            "or HEIC, or an mp4."
        ) from error


def check_clip(file: Path, limits: Limits) -> None:
    """HeadmimeError unless `file` is a video within the limits."""
    _check_size(file, limits)
    info = read_video_info(file)
    _check_pixels(file, info.width * info.height, limits)
    if info.duration > limits.seconds or (
        not info.duration and _lasts_longer(file, limits.seconds)
    ):
        raise HeadmimeError(
            f"{file} lasts longer than the {limits.seconds} seconds that are taken: cut it."
        )


def look(file: Path, limits: Limits) -> np.ndarray:
    """A picture, or the first frame of a clip: uint8 RGB [H, W, 3]. HeadmimeError if neither."""
    if _is_picture(file, limits):
        return read_image(file)
    return next(read_video(file))[0]


def _is_picture(file: Path, limits: Limits) -> bool:
    try:
        with Image.open(file) as picture:
            _check_pixels(file, picture.width * picture.height, limits)
            return True
    except OSError:
        return False
    except Image.DecompressionBombError as error:
        raise HeadmimeError(f"{file} is too large a picture: make it smaller.") from error


def _lasts_longer(file: Path, seconds: float) -> bool:
    """For files that do not say: a browser's recordings."""
    return any(frame.time > seconds for frame in decode_video(file))


def _check_size(file: Path, limits: Limits) -> None:
    if not file.is_file():
        raise HeadmimeError(f"{file} is gone: uploads are deleted with time. Drop it again.")
    size = file.stat().st_size
    if size > limits.megabytes * MEGA:
        raise HeadmimeError(
            f"{file} has {size / MEGA:.0f} MB; at most {limits.megabytes} MB are taken."
        )


def _check_pixels(file: Path, pixels: int, limits: Limits) -> None:
    if pixels > limits.megapixels * MEGA:
        raise HeadmimeError(
            f"{file} has {pixels / MEGA:.0f} megapixels; at most {limits.megapixels} are taken: "
            "make it smaller."
        )
