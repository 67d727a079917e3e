"""Video frames of any colour space as sRGB pixels, and sRGB pixels as BT.709 video."""

from functools import cache

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

HD = 720  # lines from which untagged video is BT.709 and not BT.601
BT2020_PRIMARIES, PQ, HLG = 9, 16, 18  # numbers of ITU-T H.273
UNSPECIFIED = 2
WHITE, PEAK, KNEE = 203.0, 1000.0, 0.75  # cd/m2 of SDR's white and of HLG displays; tone curve
# Linear BT.2020 to BT.709 (ITU-R BT.2087).
TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020
LEVELS = 65536
# swscale's default is up to 4 levels too dark.
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def to_srgb(frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
    """The frame's pixels at this size, not turned: uint8 RGB [height, width, 3].

    The matrix is the frame's, or by its size where it is untagged. BT.2020 is brought to BT.709;
    HLG and PQ are tone-mapped: linear up to three quarters of SDR's white, compressed above.
    """
    matrix = frame.colorspace
    if matrix in (0, UNSPECIFIED):
        matrix = Colorspace.ITU709 if frame.height >= HD else Colorspace.ITU601
    if frame.color_trc in (PQ, HLG) or frame.color_primaries == BT2020_PRIMARIES:
        deep = frame.to_ndarray(
            format="rgb48le", width=width, height=height, src_colorspace=Colorspace.BT2020
        )
        return _srgb_levels()[_to_bt709(deep, int(frame.color_trc))]
    return frame.to_ndarray(
        format="rgb24", width=width, height=height, src_colorspace=matrix, interpolation=EXACT
    )


def tag_bt709(stream: av.VideoStream) -> None:
    """Say in the file that frames of :func:`from_srgb` are BT.709, so that players do not guess."""
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = 1
    context.color_range = ColorRange.MPEG


def from_srgb(image: np.ndarray) -> av.VideoFrame:
    """uint8 RGB [H, W, 3], H and W even -> a frame in BT.709 with halved chroma."""
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    return frame.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=EXACT,
    )


def _to_bt709(deep: np.ndarray, transfer: int) -> np.ndarray:
    """BT.2020 signal uint16 [H, W, 3] -> linear BT.709, 1 is white, as uint16 levels."""
    linear = _light(transfer)[deep]
    if transfer == HLG:  # the display's gamma of 1.2 acts on luminance (BT.2100)
        linear = linear * ((linear @ LUMINANCE)[..., None] ** 0.2 * (PEAK / WHITE))
    if transfer in (PQ, HLG):
        strongest = linear.max(-1, keepdims=True)
        over = np.maximum(strongest - KNEE, 0) / (1 - KNEE)
        mapped = np.minimum(strongest, KNEE) + (1 - KNEE) * (1 - np.exp(-over))
        linear = linear * (mapped / np.maximum(strongest, 1e-6))
    return ((linear @ TO_BT709.T).clip(0, 1) * (LEVELS - 1) + 0.5).astype(np.uint16)


@cache
def _light(transfer: int) -> np.ndarray:
    """Linear light of every signal level: PQ over white, HLG's scene in 0..1, else gamma 2.4."""
    x = np.linspace(0, 1, LEVELS)
    if transfer == PQ:
        root = x ** (1 / 78.84375)
        light = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        light = 10000 / WHITE * light ** (1 / 0.1593017578125)
    elif transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(x <= 0.5, x * x / 3, (np.exp((x - c) / a) + b) / 12)
    else:
        light = x**2.4
    return light.astype(np.float32)


@cache
def _srgb_levels() -> np.ndarray:
    """sRGB, uint8, of every linear level."""
    x = np.linspace(0, 1, LEVELS)
    signal = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return (signal * 255 + 0.5).astype(np.uint8)
