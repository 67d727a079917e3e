"""Images and films that the page shows beside its inputs: examples, thumbnails, motions."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from headmime.animate.driving import (
    TEMPLATE,
    find_driving,
    is_still,
    load_template,
    write_drawing,
)
from headmime.animate.person import bundled_people
from headmime.assets import MONA_LISA
from headmime.data.video_reader import read_video_info
from headmime.images import resize
from headmime.provenance.statement import ProvenanceOptions
from headmime.web.uploads import Limits, first_frame

THUMBNAIL, PORTRAIT, DRAWING = 320, 512, 256  # pixels of the longer side
SITTERS = {"Rendered, 1": 22, "Rendered, 2": 3, "Rendered, 3": 8, "Rendered, 4": 37}


def write_examples(folder: Path) -> list[tuple[Path, str]]:
    """Write the example portraits to `folder`: the Mona Lisa and bundled synthetic sitters; return
    paths and captions.
    """
    examples = [(Path(shutil.copy(MONA_LISA, folder)), "Mona Lisa")]
    people = bundled_people(PORTRAIT // 2)
    for caption, number in SITTERS.items():
        path = folder / f"rendered_{number}.png"
        Image.fromarray(people[number][0][0]).save(path)
        examples.append((path, caption))
    return examples


def thumbnail(file: Path, folder: Path, limits: Limits) -> Path:
    """Path of a small copy of an image, or of a video's first frame, cached in `folder`."""
    path = folder / f"{hashlib.sha256(str(file).encode()).hexdigest()}.png"
    if path.is_file():
        return path
    return save_image(first_frame(file, limits), path, THUMBNAIL)


def save_image(image: np.ndarray, path: Path, side: int) -> Path:
    """Write uint8 RGB [H, W, 3] as a PNG whose longer side is `side` pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scale = side / max(image.shape[:2])
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    Image.fromarray(resize(image, width, height)).save(path)
    return path


def driving_preview(
    driving: str | Path, folder: Path, limits: Limits, marks: ProvenanceOptions
) -> tuple[Path, str]:
    """An image, a video, or a film of a template's landmarks, cached in `folder`; its length."""
    file = find_driving(driving)
    if is_still(file):
        return thumbnail(file, folder, limits), "1 image"
    if file.suffix.lower() != TEMPLATE:
        info = read_video_info(file)
        return file, f"{float(info.duration or info.frames / info.fps):.1f} s"
    template = load_template(file)
    assert template.origin is not None
    path = folder / f"{template.origin.sha256}.mp4"
    if not path.is_file():
        write_drawing(path, template, DRAWING, marks)
    return path, f"{float(len(template.landmarks) / template.fps):.1f} s"
