"""The visible label, and loading of signer and watermark key before any expensive work."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from headmime.errors import HeadmimeError
from headmime.provenance.credentials import check_signer
from headmime.provenance.signer import Signer, signer_for
from headmime.provenance.statement import ProvenanceOptions
from headmime.provenance.watermark import PUBLIC_KEY

TEXTS = ("AI-generated", "AI")  # the second if the first is wider than the frame
SHARE = 1 / 20  # letter height / shorter side of the frame
MIN_HEIGHT = 9  # pixels; smaller letters are illegible
BACKING = 0.7  # opacity of the dark plate; legible even on pure white

MIN_KEY_BYTES = 16


def add_label(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield copies of uint8 RGB frames [H, W, 3] with the label."""
    for frame in frames:
        plate, letters = _label(*frame.shape[:2])
        height, width = plate.shape[:2]
        marked = frame.copy()
        corner = marked[frame.shape[0] - height :, frame.shape[1] - width :]
        corner[:] = corner * (1 - plate) + letters
        yield marked


@cache
def _label(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Label for one frame size: opacity [h, w, 1] in 0..1, and letter colour [h, w, 1]."""
    size = max(MIN_HEIGHT, round(SHARE * min(height, width)))
    font = ImageFont.load_default(size)
    boxes = [(text, font.getbbox(text)) for text in TEXTS]
    text, box = next((pair for pair in boxes if pair[1][2] + size <= width), boxes[-1])
    wide, high = int(box[2] - box[0]), int(box[3] - box[1])
    plate = Image.new("L", (wide + size, high + size * 2 // 3))
    ImageDraw.Draw(plate).text((size // 2 - box[0], size // 3 - box[1]), text, 255, font)
    white = np.asarray(plate, np.float32)[-height:, -width:, None] / 255
    return white + BACKING * (1 - white), 255 * white


@dataclass(frozen=True)
class MarkingTools:
    """Signer and watermark key; None if that mark is disabled."""

    signer: Signer | None
    watermark_key: bytes | None


def prepare_marking(marks: ProvenanceOptions) -> MarkingTools:
    """Load signer and key. HeadmimeError if certificate, key or watermark key are unusable."""
    signer = signer_for(marks) if marks.credentials else None
    if signer:
        check_signer(signer)
    return MarkingTools(signer, _watermark_key(marks) if marks.watermark else None)


def _watermark_key(marks: ProvenanceOptions) -> bytes:
    if not marks.watermark_key:
        return PUBLIC_KEY
    file = Path(marks.watermark_key).expanduser()
    try:
        key = file.read_bytes()
    except OSError as error:
        raise HeadmimeError(f"{file}: the watermark's key cannot be read ({error}).") from error
    if len(key) < MIN_KEY_BYTES:
        raise HeadmimeError(f"{file}: a watermark's key has at least {MIN_KEY_BYTES} bytes.")
    return key
