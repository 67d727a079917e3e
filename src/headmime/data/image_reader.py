"""Image files of any kind as upright sRGB pixels."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pi_heif
from PIL import Image, ImageCms, UnidentifiedImageError

from headmime.errors import HeadmimeError
from headmime.files import open_file

pi_heif.register_heif_opener()  # telephones' HEIC files, for Image.open

IMAGE_SUFFIXES = {
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff",
    ".webp",
}  # fmt: skip
ORIENTATION = 0x0112  # EXIF's tag; how to turn the stored pixels for each of its values:
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SRGB = ImageCms.createProfile("sRGB")


def read_image(path: Path | str) -> np.ndarray:
    """The pixels of an image file in sRGB, upright: uint8 RGB [H, W, 3].

    Embedded colour profiles are applied. Transparency is put on white; 16 and 32 bits and floats
    become 8 bits; an animation gives its first frame. HeadmimeError if the file cannot be read.
    """
    try:
        with open_file(path) as file, Image.open(file) as image:
            return np.array(_flatten(_to_srgb(_to_8_bits(_upright(image)))))
    except Exception as error:  # decoders raise whatever their libraries do
        raise HeadmimeError(
            f"{path} cannot be read as an image ({_reason(error)}): give a JPEG, PNG, WebP, "
            "HEIC, TIFF or GIF."
        ) from error


def is_image(path: Path | str) -> bool:
    """Whether a file is of a kind that :func:`read_image` knows, even if it is damaged."""
    try:
        with open_file(path) as file, Image.open(file):
            return True
    except OSError:
        return False
    except Exception:  # its header is an image's, but is refused
        return True


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is of no known kind"  # Pillow's own words name an object, not the file
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says. The EXIF block itself may be damaged: nothing of it is rewritten."""
    orientation = 1
    with suppress(Exception):
        orientation = image.getexif().get(ORIENTATION, 1)
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Images of one channel with more than 8 bits as mode L; others unchanged."""
    if not image.mode.startswith(("I", "F")):
        return image
    grey = np.asarray(image).astype(np.float64)
    if image.mode.startswith("I;16"):
        top = 65535.0
    else:  # integers may be unsigned ones in the file; floats have no fixed white
        grey = np.where(grey < 0, grey + 2**32, grey) if image.mode == "I" else grey
        scales = (255.0, 65535.0, 2.0**31 - 1, 2.0**32 - 1)
        scales = (1.0, *scales) if image.mode == "F" else scales
        most = np.nanmax(grey, initial=0.0, where=np.isfinite(grey))
        top = next((scale for scale in scales if most <= scale), most)
    levels = np.nan_to_num(grey / top, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    return Image.fromarray((levels * 255 + 0.5).astype(np.uint8))


def _to_srgb(image: Image.Image) -> Image.Image:
    """By the embedded ICC profile; images without a readable one are taken as sRGB."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    alpha = None
    if image.has_transparency_data:
        image, alpha = image.convert("RGBA").convert("RGB"), image.convert("RGBA").getchannel("A")
    elif image.mode == "P":
        image = image.convert("RGB")
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB") or image
    if alpha:
        image.putalpha(alpha)
    return image


def _flatten(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")
