"""What cameras, painters and codecs make of the light: the last steps towards a picture."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.sitters.studio import Develop


def develop(
    frames: Iterable[NDArray], how: Develop, size: int, rng: Generator
) -> Iterator[NDArray]:
    """Frames of one clip in linear light, float32 [N, N, 3] -> pictures, uint8 [size, size, 3].

    `rng` makes what changes from frame to frame; everything else is the same for all frames. Only
    h264 looks at several frames at once.
    """
    source = min(size, max(16, 2 * round(size * how.source / 2)))
    texture = _texture(size, how) if how.brush else None
    pictures = (
        _downscale(_picture(frame, how, size, texture, rng), how, source) for frame in frames
    )
    if how.crf:
        pictures = iter(h264(list(pictures), how.crf))
    for picture in pictures:
        yield picture if source == size else _enlarge(picture, size)


def _picture(
    frame: NDArray, how: Develop, size: int, texture: NDArray | None, rng: Generator
) -> NDArray:
    """Tone, paint, colour and noise: float32 0..1 [size, size, 3]."""
    light = cv2.resize(np.maximum(frame, 0), (size, size), interpolation=cv2.INTER_AREA)
    if rows := round(how.edge * size):
        light[:rows] = light[rows : 2 * rows][::-1]
    if how.bloom:
        spilled = cv2.GaussianBlur(np.minimum(light, 3), (0, 0), 0.035 * size)
        light = light + how.bloom * (spilled - light)
    light = light * (1 + light / 6.0) / (1 + light * 0.75)  # a soft shoulder instead of clipping
    picture = np.sqrt(np.clip(light, 0, 1)) ** 0.9  # close to sRGB's curve
    if texture is not None:
        picture = _paint(picture, how, texture)
    if how.blur * size > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), how.blur * size)
    if how.sharpened:
        soft = cv2.GaussianBlur(picture, (0, 0), 0.009 * size)
        picture = picture + how.sharpened * (picture - soft)
    grey = picture @ np.array([0.3, 0.6, 0.1], np.float32)
    grey = grey[..., None]
    picture = grey + how.saturation * (picture - grey)
    picture = picture + how.shadows * (1 - grey) + how.lights * grey
    picture = 0.45 + how.contrast * (picture * how.cast - 0.45)
    if how.vignette:
        ramp = np.linspace(-1, 1, size)
        corner = 0.5 * (ramp[None] ** 2 + ramp[:, None] ** 2)
        picture = picture * (1 - how.vignette * corner)[..., None]
    if how.noise:
        coloured = 0.5 if how.saturation else 0.0
        noise = rng.normal(size=(size, size, 1)) + coloured * rng.normal(size=(size, size, 3))
        spread = 1.0 + 2.2 * how.grain**2  # about what the blur takes away
        noise = spread * cv2.GaussianBlur(noise, (0, 0), how.grain)
        picture = picture + noise * (how.noise / 255 * 0.8)
    return np.clip(picture, 0, 1).astype(np.float32)


def _downscale(picture: NDArray, how: Develop, source: int) -> NDArray:
    """The picture in its source's resolution, through JPEG for some: uint8."""
    if source < len(picture):
        picture = cv2.resize(picture, (source, source), interpolation=cv2.INTER_AREA)
    small = (picture * 255 + 0.5).astype(np.uint8)
    if how.jpeg:
        coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, how.jpeg])[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert decoded is not None
        return decoded
    return small


def _enlarge(picture: NDArray, size: int) -> NDArray:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)


def h264(pictures: list[NDArray], crf: int) -> list[NDArray]:
    """Pictures uint8 [n, n, 3], n even, as a video of them looks; crf 18 fine .. 40 poor."""
    size = len(pictures[0])
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width = encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1  # the same bytes on any machine's number of cores
    # mbtree: its look-ahead gives other bytes once in some hundred clips, by what the heap held
    encoder.options = {"crf": str(crf), "preset": "veryfast", "bf": "0", "mbtree": "0"}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        packets += encoder.encode(frame.reformat(format="yuv420p"))
    packets += encoder.encode(None)
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    frames += decoder.decode(None)
    return [frame.to_ndarray(format="rgb24") for frame in frames]


def _texture(size: int, how: Develop) -> NDArray:
    """A factor on the painted picture: strokes, weave and cracks, float32 [size, size, 1]."""
    rng = np.random.default_rng(how.texture)
    width = max(0.6, 0.4 * how.strokes * size)
    which = cv2.resize(rng.normal(size=(5, 5)), (size, size), interpolation=cv2.INTER_CUBIC)
    share = 1 / (1 + np.exp(-3 * which))
    strokes = np.zeros((size, size))
    for sigmas, weight in (((4 * width, width), share), ((width, 4 * width), 1 - share)):
        strokes += weight * cv2.GaussianBlur(
            rng.normal(size=(size, size)), (0, 0), sigmaX=sigmas[0], sigmaY=sigmas[1]
        )
    strokes /= strokes.std()
    at = np.arange(size)
    thread = np.sin(at * np.pi / 1.35)
    weave = thread[None] * thread[:, None] + 0.5 * rng.normal(size=(size, size))
    factor = 1 + 0.030 * how.brush * strokes + 0.014 * how.canvas * weave
    if how.cracks:
        cells = max(4, size // 14)
        rough = cv2.resize(
            rng.normal(size=(cells, cells)), (size, size), interpolation=cv2.INTER_LINEAR
        )
        factor = factor - 0.14 * how.cracks * np.clip(1 - np.abs(rough) / 0.06, 0, 1)
    return factor.astype(np.float32)[..., None]


def _paint(picture: NDArray, how: Develop, texture: NDArray) -> NDArray:
    """Flatten small detail into strokes: at each place the calmest of the four squares beside it.

    A Kuwahara filter with soft weights.
    """
    side, size = max(2, round(how.strokes * len(picture))), len(picture)
    wide = cv2.copyMakeBorder(picture, side, side, side, side, cv2.BORDER_REFLECT)
    grey = wide.mean(-1)
    total, weights = np.zeros_like(picture), np.zeros_like(picture[..., :1])
    mean, light, power = (cv2.blur(what, (side, side)) for what in (wide, grey, grey**2))
    calm = (1 / (1e-4 + np.maximum(power - light**2, 0)) ** 2)[..., None]
    for down in (side - side // 2, side + side // 2):
        for right in (side - side // 2, side + side // 2):
            square = np.s_[down : down + size, right : right + size]
            total += calm[square] * mean[square]
            weights += calm[square]
    smooth = total / weights
    return np.clip((picture + how.brush * (smooth - picture)) * texture, 0, 1)
