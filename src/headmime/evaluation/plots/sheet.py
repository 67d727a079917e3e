"""Contact sheets: images in rows and columns on white, with titles, labels and notes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from headmime.images import resize

GAP = 4  # pixels
INK, PAPER, SOFT = (25, 25, 25), (255, 255, 255), (90, 90, 90)
TEXT = 1 / 9  # letter height, in tiles
MIN_SCALE = 0.6  # of the letters, for long text


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet: images uint8 [S, S, 3] from left to right (None: empty).

    `label`: rotated, at the left; `note`: below the images; `apart`: more space above.
    """

    images: Sequence[np.ndarray | None]
    label: str = ""
    note: str = ""
    apart: bool = False


def draw_sheet(heads: Sequence[str], lines: Sequence[SheetRow], tile: int) -> np.ndarray:
    """Lay out `lines` under the column `heads`: uint8 [H, W, 3], images `tile` pixels wide."""
    letters = max(11, round(tile * TEXT))
    font = ImageFont.load_default(letters)
    assert isinstance(font, ImageFont.FreeTypeFont)  # as in all of Pillow's wheels
    step, side = tile + GAP, round(1.6 * letters)
    left = side if any(line.label for line in lines) else 0
    tops, top = [], side
    for line in lines:
        top += 3 * GAP * line.apart
        tops.append(top)
        top += step + (side if line.note else 0)
    page = Image.new("RGB", (left + len(heads) * step, top), PAPER)
    pen = ImageDraw.Draw(page)
    for column, head in enumerate(heads):
        middle = left + column * step + tile / 2
        _write(pen, (middle, side / 2), head, font, tile)
    for line, y in zip(lines, tops, strict=True):
        if line.label:
            page.paste(_upwards(line.label, font, tile, side), (0, y))
        for column, image in enumerate(line.images):
            if image is not None:
                page.paste(Image.fromarray(resize(image, tile)), (left + column * step, y))
        if line.note:
            width = len(line.images) * step - GAP
            _write(pen, (left, y + tile + side / 2), line.note, font, width, SOFT, "lm")
    return np.asarray(page)


def join_sheets(sheets: Sequence[np.ndarray], gap: int) -> np.ndarray:
    """Sheets from left to right, `gap` pixels apart, their tops aligned."""
    height = max(len(one) for one in sheets)
    edges = [((0, height - len(one)), (gap, 0), (0, 0)) for one in sheets]
    parts = [np.pad(*pair, constant_values=255) for pair in zip(sheets, edges, strict=True)]
    return np.concatenate(parts, axis=1)[:, gap:]


def _upwards(text: str, font: ImageFont.FreeTypeFont, length: int, height: int) -> Image.Image:
    strip = Image.new("RGB", (length, height), PAPER)
    pen = ImageDraw.Draw(strip)
    _write(pen, (length / 2, height / 2), text, font, length)
    return strip.rotate(90, expand=True)


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    font: ImageFont.FreeTypeFont,
    width: float,
    ink: tuple[int, int, int] = INK,
    anchor: str = "mm",
) -> None:
    """Draw text of at most `width` pixels: scaled down if that suffices, else truncated."""
    if font.getlength(text) > width:
        font = font.font_variant(
            size=max(MIN_SCALE * font.size, font.size * width / font.getlength(text))
        )
        while font.getlength(text) > width and len(text) > 1:
            text = text.removesuffix("…")[:-1] + "…"
    pen.text(place, text, ink, font, anchor=anchor)
