"""Reading pictures, whatever their kind."""

from pathlib import Path

import numpy as np
import pi_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from headmime.errors import HeadmimeError
from headmime.files import open_file

pi_heif.register_heif_opener()  # telephones' HEIC files, for Image.open


def read_picture(path: Path | str) -> np.ndarray:
    """A picture upright as its camera meant it: uint8 RGB [H, W, 3].

    Transparency is put on white, 16 bits become 8, an animation gives its first frame.
    HeadmimeError if the file cannot be read as a picture.
    """
    try:
        with open_file(path) as file, Image.open(file) as picture:
            return np.array(_to_rgb(ImageOps.exif_transpose(picture)))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise HeadmimeError(
            f"{path} cannot be read as a picture ({_reason(error)}): give a JPEG, PNG, WebP, "
            "HEIC, TIFF or GIF."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is of no known kind"  # Pillow's own words name an object, not the file
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel, grey
        grey = np.asarray(picture.convert("I"))
        picture = Image.fromarray((grey.clip(0, 65535) // 257).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")
