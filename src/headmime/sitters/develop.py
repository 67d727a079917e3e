"""Post-processing of rendered light: camera, painting style and codecs."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.images import resize
from headmime.sitters.studio import DevelopSettings


def develop(
    frames: Iterable[NDArray], how: DevelopSettings, size: int, rng: Generator
) -> Iterator[NDArray]:
    """Frames of one clip in linear light, float32 [N, N, 3] -> images, uint8 [size, size, 3].

    `rng` is used for noise, which differs between frames; all else is the same for all frames. Only
    h264 needs all frames in memory.
    """
    source = min(size, max(16, 2 * round(size * how.source / 2)))
    texture = _texture(size, how) if how.brush else None
    images = (
        _downscale(_develop_frame(frame, how, size, texture, rng), how, source) for frame in frames
    )
    if how.crf:
        images = iter(h264(list(images), how.crf))
    yield from (resize(image, size) for image in images)


def _develop_frame(
    frame: NDArray, how: DevelopSettings, size: int, texture: NDArray | None, rng: Generator
) -> NDArray:
    """Apply tone mapping, painting, colour and noise: float32 0..1 [size, size, 3]."""
    light = cv2.resize(np.maximum(frame, 0), (size, size), interpolation=cv2.INTER_AREA)
    if rows := round(how.edge * size):
        light[:rows] = light[rows : 2 * rows][::-1]
    if how.bloom:
        spilled = cv2.GaussianBlur(np.minimum(light, 3), (0, 0), 0.035 * size)
        light = light + how.bloom * (spilled - light)
    light = light * (1 + light / 6.0) / (1 + light * 0.75)  # soft clipping
    image = np.sqrt(np.clip(light, 0, 1)) ** 0.9  # close to sRGB's curve
    if texture is not None:
        image = _paint(image, how, texture)
    if how.blur * size > 0.2:
        image = cv2.GaussianBlur(image, (0, 0), how.blur * size)
    if how.sharpened:
        soft = cv2.GaussianBlur(image, (0, 0), 0.009 * size)
        image = image + how.sharpened * (image - soft)
    grey = image @ np.array([0.3, 0.6, 0.1], np.float32)
    grey = grey[..., None]
    image = grey + how.saturation * (image - grey)
    image = image + how.shadows * (1 - grey) + how.lights * grey
    image = 0.45 + how.contrast * (image * how.cast - 0.45)
    if how.vignette:
        ramp = np.linspace(-1, 1, size)
        corner = 0.5 * (ramp[None] ** 2 + ramp[:, None] ** 2)
        image = image * (1 - how.vignette * corner)[..., None]
    if how.noise:
        coloured = 0.5 if how.saturation else 0.0
        noise = rng.normal(size=(size, size, 1)) + coloured * rng.normal(size=(size, size, 3))
        spread = 1.0 + 2.2 * how.grain**2  # compensates for the blur, approximately
        noise = spread * cv2.GaussianBlur(noise, (0, 0), how.grain)
        image = image + noise * (how.noise / 255 * 0.8)
    return np.clip(image, 0, 1).astype(np.float32)


def _downscale(image: NDArray, how: DevelopSettings, source: int) -> NDArray:
    """Downscale to the source's resolution, with JPEG compression if how.jpeg: uint8."""
    small = (resize(image, source) * 255 + 0.5).astype(np.uint8)
    if how.jpeg:
        coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, how.jpeg])[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert decoded is not None
        return decoded
    return small


def h264(images: list[NDArray], crf: int) -> list[NDArray]:
    """Encode and decode images uint8 [n, n, 3], n even, as h264; crf 18 fine .. 40 poor."""
    size = len(images[0])
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width = encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1  # the result is independent of the number of cores
    # mbtree: its look-ahead depends on uninitialised memory in one of some hundred clips
    encoder.options = {"crf": str(crf), "preset": "veryfast", "bf": "0", "mbtree": "0"}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for image in images:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        packets += encoder.encode(frame.reformat(format="yuv420p"))
    packets += encoder.encode(None)
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    frames += decoder.decode(None)
    return [frame.to_ndarray(format="rgb24") for frame in frames]


def _texture(size: int, how: DevelopSettings) -> NDArray:
    """Brightness factor of brush strokes, canvas and cracks, float32 [size, size, 1]."""
    rng = np.random.default_rng(how.texture)
    width = max(0.6, 0.4 * how.strokes * size)
    which = resize(rng.normal(size=(5, 5)), size)
    share = 1 / (1 + np.exp(-3 * which))
    strokes = np.zeros((size, size))
    for across, down, weight in ((4 * width, width, share), (width, 4 * width, 1 - share)):
        random = rng.normal(size=(size, size))
        strokes += weight * cv2.GaussianBlur(random, (0, 0), sigmaX=across, sigmaY=down)
    strokes /= strokes.std()
    at = np.arange(size)
    thread = np.sin(at * np.pi / 1.35)
    weave = thread[None] * thread[:, None] + 0.5 * rng.normal(size=(size, size))
    factor = 1 + 0.030 * how.brush * strokes + 0.014 * how.canvas * weave
    if how.cracks:
        cells = max(4, size // 14)
        rough = resize(rng.normal(size=(cells, cells)), size, enlarging=cv2.INTER_LINEAR)
        factor = factor - 0.14 * how.cracks * np.clip(1 - np.abs(rough) / 0.06, 0, 1)
    return factor.astype(np.float32)[..., None]


def _paint(image: NDArray, how: DevelopSettings, texture: NDArray) -> NDArray:
    """Flatten detail into brush strokes: a Kuwahara filter with soft weights (each pixel takes the
    mean of the adjacent square with the least variance).
    """
    side, size = max(2, round(how.strokes * len(image))), len(image)
    wide = cv2.copyMakeBorder(image, side, side, side, side, cv2.BORDER_REFLECT)
    grey = wide.mean(-1)
    total, weights = np.zeros_like(image), np.zeros_like(image[..., :1])
    mean, light, power = (cv2.blur(what, (side, side)) for what in (wide, grey, grey**2))
    calm = (1 / (1e-4 + np.maximum(power - light**2, 0)) ** 2)[..., None]
    for down in (side - side // 2, side + side // 2):
        for right in (side - side // 2, side + side // 2):
            square = np.s_[down : down + size, right : right + size]
            total += calm[square] * mean[square]
            weights += calm[square]
    smooth = total / weights
    return np.clip((image + how.brush * (smooth - image)) * texture, 0, 1)
