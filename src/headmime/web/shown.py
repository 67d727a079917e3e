"""Files that are made to be looked at in the page only."""

from pathlib import Path

import numpy as np
from PIL import Image

from headmime.animate.driving import TEMPLATE, draw_frames, find_driving, load_template
from headmime.animate.media_writer import write_media
from headmime.images import resize
from headmime.provenance.consent import Consent
from headmime.provenance.making import Kind, Making
from headmime.provenance.marks import Marks

DRAWN = 256  # pixels


def save_picture(picture: np.ndarray, path: Path, side: int) -> Path:
    """Write uint8 RGB [H, W, 3] as a PNG whose longer side is `side` pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    Image.fromarray(resize(picture, width, height)).save(path)
    return path


def seen_driving(driving: str | Path, folder: Path, marks: Marks) -> Path:
    """A video as it is; the landmarks of a template drawn, once, into a video in `folder`."""
    file = find_driving(driving)
    if file.suffix.lower() != TEMPLATE:
        return file
    path = folder / f"{file.stem}.mp4"
    if not path.is_file():
        template = load_template(file)
        origin = () if template.origin is None else (template.origin,)
        making = Making(Consent.NOT_STATED, ingredients=origin, kind=Kind.DRAWN)
        write_media(path, draw_frames(template, DRAWN), template.fps, making, marks)
    return path
