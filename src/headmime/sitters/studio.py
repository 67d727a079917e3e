"""Random light, camera and post-processing of a sitter."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

PAINTED, OLD = 0.12, 0.06
"""Shares of sitters rendered as paintings and as monochrome photographs."""

FOCAL = 2000.0
"""Focal length in image units, the units of landmarks that are passed to crop_box as pixels."""


@dataclass(frozen=True)
class Studio:
    """Light and camera; angles in radians, colours linear RGB factors."""

    key_azimuth: float
    key_height: float
    key_colour: NDArray
    key_soft: float  # texels of the shadow map
    fill: float
    fill_colour: NDArray
    rim: float
    rim_azimuth: float
    ambient: float
    sky: NDArray
    ground: NDArray
    exposure: float
    distance: float
    camera_azimuth: float
    camera_height: float
    camera_roll: float
    backdrop: int  # seed
    develop: "DevelopSettings"


@dataclass(frozen=True)
class DevelopSettings:
    """Post-processing from linear light to the stored image. Lengths are shares of its side."""

    blur: float
    sharpened: float  # by the camera
    noise: float  # standard deviation, of 255
    grain: float  # size of the noise's grains, pixels
    contrast: float
    saturation: float
    cast: NDArray  # factors on RGB
    shadows: NDArray  # added to RGB of dark pixels
    lights: NDArray  # added to RGB of bright pixels
    vignette: float
    bloom: float  # share of blurred light
    edge: float  # height of the upper part that lies outside of the source and is reflected
    source: float  # resolution of the source: below 1, the image is enlarged afterwards
    jpeg: int  # quality, 0: none
    crf: int  # of h264, 0: none
    brush: float  # 0 a photograph, up to 1 a painting
    strokes: float  # width of a stroke
    canvas: float  # strength of the canvas' weave
    cracks: float
    texture: int  # seed of strokes and canvas


def random_tint(rng: Generator, spread: float) -> NDArray:
    """A random colour of light between bluish and yellowish, with mean 1."""
    warm = rng.normal() * spread
    tint = np.array([1 + warm, 1 + 0.15 * rng.normal() * spread, 1 - warm])
    return np.clip(tint / tint.mean(), 0.3, 2)


def random_studio(rng: Generator) -> Studio:
    hard = rng.random() < 0.4
    rim = rng.uniform(0.2, 1.4) if rng.random() < 0.3 else 0.0
    azimuth = rng.normal() * (0.9 if hard else 0.6)
    if rng.random() < 0.06:  # a window at one side
        azimuth = rng.choice([-1, 1]) * rng.uniform(1.1, 1.7)
    return Studio(
        key_azimuth=float(np.clip(azimuth, -1.7, 1.7)),
        key_height=float(rng.uniform(0.15, 1.1)),
        key_colour=(rng.uniform(1.0, 1.5) if hard else rng.uniform(0.7, 1.1))
        * random_tint(rng, 0.07),
        key_soft=float(rng.uniform(0.6, 1.4) if hard else rng.uniform(1.4, 4.0)),
        fill=float(rng.uniform(0.02, 0.25) if hard else rng.uniform(0.05, 0.4)),
        fill_colour=random_tint(rng, 0.12),
        rim=float(rim),
        rim_azimuth=float(rng.choice([-1, 1]) * rng.uniform(2.0, 2.7)),
        ambient=float(rng.uniform(0.10, 0.3) if hard else rng.uniform(0.2, 0.55)),
        sky=random_tint(rng, 0.10),
        ground=random_tint(rng, 0.12) * rng.uniform(0.25, 0.75),
        exposure=float(np.exp(0.14 + np.clip(rng.normal(), -2, 2) * 0.27)),
        distance=float(np.exp(rng.uniform(np.log(0.7), np.log(3.0)))),
        camera_azimuth=float(rng.normal() * 0.12),
        camera_height=float(np.clip(rng.normal() * 0.10, -0.3, 0.3)),
        camera_roll=float(rng.normal() * 0.035),
        backdrop=int(rng.integers(2**31)),
        develop=_develop(rng),
    )


def _develop(rng: Generator) -> DevelopSettings:
    """Random settings: mostly video frames, else photographs, old photographs and paintings."""
    kind = rng.random()
    painted, old = kind < PAINTED, PAINTED <= kind < PAINTED + OLD
    video = not painted and not old and rng.random() < 0.7
    saturation = float(np.clip(rng.normal(1.0, 0.17), 0.5, 1.45))
    cast = random_tint(rng, 0.04)
    shadows, lights = (rng.normal(size=3) * 0.012 for _ in "ab")
    if old:
        saturation = 0.0
        sepia = rng.uniform(0, 1) if rng.random() < 0.5 else 0.0
        cast = np.array([1 + 0.10 * sepia, 1.0, 1 - 0.24 * sepia])
    if painted:
        saturation *= rng.uniform(0.5, 1.1)
        cast = np.array([1.05, 1.0, rng.uniform(0.72, 1.0)])  # varnish
        shadows = np.array([0.05, 0.03, 0.0]) * rng.uniform(0, 1) + shadows
    small = rng.random() < (0.17 if video else 0.1)
    return DevelopSettings(
        blur=float(0.002 + (0.0 if rng.random() < 0.6 else 0.007 * rng.random() ** 2)),
        sharpened=float(rng.uniform(0.3, 1.2) if rng.random() < 0.5 else 0),
        noise=float(rng.choice([0.6, rng.uniform(0, 3), rng.uniform(2, 7)], p=[0.5, 0.4, 0.1]))
        + (rng.uniform(1, 6) if old else 0.0),
        grain=float(rng.uniform(0.3, 1.2)),
        contrast=float(np.exp(rng.normal() * 0.14 + (0.1 if old else 0.0))),
        saturation=saturation,
        cast=cast,
        shadows=shadows,
        lights=lights,
        vignette=float(rng.uniform(0, 0.4) if rng.random() < 0.3 else 0),
        bloom=float(rng.uniform(0, 0.25) if rng.random() < 0.2 else 0),
        edge=float(rng.uniform(0, 0.2) if rng.random() < 0.12 else 0),
        source=float(rng.uniform(0.45, 0.9)) if small else 1.0,
        jpeg=int(rng.integers(45, 90)) if not video and rng.random() < 0.5 else 0,
        crf=int(rng.integers(16, 27 if small else 33)) if video else 0,
        brush=float(rng.uniform(0.4, 1)) if painted else 0.0,
        strokes=float(rng.uniform(0.010, 0.028)),
        canvas=float(rng.uniform(0, 1) if rng.random() < 0.6 else 0),
        cracks=float(rng.uniform(0.2, 0.8) if rng.random() < 0.2 else 0),
        texture=int(rng.integers(2**31)),
    )


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: place [3] in metres (y to the back, z up), axes [3, 3] with rows right,
    down, forward.
    """

    place: NDArray
    axes: NDArray

    def project(self, points: NDArray) -> NDArray:
        """Points [..., 3] in metres -> (x, y) in image units and 1 / depth, [..., 3]."""
        offsets = (points - self.place) @ self.axes.T
        nearness = 1 / offsets[..., 2:]
        return np.concatenate([FOCAL * offsets[..., :2] * nearness, nearness], -1)


def unit_direction(azimuth: float, height: float) -> NDArray:
    """The direction [3] to the sitter's left by `azimuth` and up by `height`, radians; 0: front."""
    return np.array(
        [np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)]
    )


def look_at(target: NDArray, distance: float, azimuth: float, height: float, roll: float) -> Camera:
    """A camera at `distance` metres from `target` [3]; angles in radians.

    azimuth > 0: from the sitter's left, height > 0: from above, roll > 0: rotates the image.
    """
    forward = -unit_direction(azimuth, height)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    axes = np.stack([c * right + s * down, c * down - s * right, forward])
    return Camera(target - distance * forward, axes)
