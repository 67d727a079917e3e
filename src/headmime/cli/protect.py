"""`headmime protect`: noise in an image, so that it is harder to animate."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from PIL import Image

from headmime.animate.media_writer import output_path
from headmime.animate.model import load
from headmime.data.image_reader import ORIENTATION, read_image
from headmime.errors import HeadmimeError
from headmime.evaluation.metrics.image_quality import ssim
from headmime.files import open_file, write_atomically
from headmime.images import resize
from headmime.landmarks.detect import load_detector
from headmime.progress import progress
from headmime.protection.noise import NoiseSettings, add_noise, check_strength

SUFFIXES = (".png", ".jpg", ".jpeg")
LONGEST = 512  # side at which the perceptual distance is measured

log = logging.getLogger(__name__)


@dataclass
class Protect:
    """Keys of `headmime protect`: conf/protect.yaml."""

    source: list[str]
    out: str
    strength: int
    steps: int
    weights: str
    device: str
    seed: int
    perceptual: dict[str, Any]
    scorers: dict[str, Any]
    detector: dict[str, Any] | None = None  # where no choice is made


def protect(settings: Protect) -> None:
    """Check, find the faces, add noise, write the image; print how much was changed."""
    if len(settings.source) != 1:
        raise HeadmimeError("protect takes one image: run it again for each source=.")
    source = Path(settings.source[0]).expanduser()
    check_strength(settings.strength, settings.steps)
    out = output_path(settings.out, SUFFIXES, [source])
    image = read_image(source)
    model = load(settings.weights, settings.device)
    detector = instantiate(settings.detector) or load_detector(model.detector)
    (faces,) = detector.detect([image])
    if not faces:
        raise HeadmimeError(f"{source}: no face was found, so there is nothing to protect.")
    perceptual = instantiate(settings.perceptual)
    noise = NoiseSettings(settings.strength, settings.steps, settings.seed)
    with progress("Noise") as on_step:
        protected = add_noise(
            image, [face.pixels for face in faces], model, perceptual, noise, on_step
        )
    write_image(out, protected, source)
    distance = instantiate(settings.scorers["distance"])
    print(f"{out}  ({len(faces)} face(s); {_describe(image, protected, distance)})")


def write_image(out: Path, image: np.ndarray, source: Path) -> None:
    """Write uint8 RGB with the EXIF and XMP metadata of the file `source`, apart from its rotation
    and colour profile, which :func:`read_image` has applied.
    """
    with open_file(source) as file, Image.open(file) as original:
        exif, xmp = original.getexif(), original.info.get("xmp")
    if ORIENTATION in exif:
        exif[ORIENTATION] = 1
    options: dict[str, Any] = {"exif": exif}
    if xmp and out.suffix.lower() != ".png":
        options["xmp"] = xmp
    kind = "PNG" if out.suffix.lower() == ".png" else "JPEG"
    with write_atomically(out) as partial:
        Image.fromarray(image).save(partial, kind, quality=95, subsampling=0, **options)


def _describe(image: np.ndarray, protected: np.ndarray, distance: Any) -> str:
    change = protected.astype(np.float32) - image
    psnr = 20 * np.log10(255) - 10 * np.log10(max(float((change**2).mean()), 1e-9))
    scale = min(1.0, LONGEST / max(image.shape[:2]))
    width, height = (max(32, round(scale * side)) for side in image.shape[1::-1])
    small = [resize(one, width, height)[None] for one in (image, protected)]
    return (
        f"largest change {int(np.abs(change).max())} of 255, PSNR {psnr:.1f} dB, "
        f"SSIM {ssim(image[None], protected[None])[0]:.3f}, "
        f"{distance.name} {distance(*small)[0]:.3f} (0: equal)"
    )
