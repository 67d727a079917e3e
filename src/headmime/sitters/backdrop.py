"""Random backgrounds of sitters: walls, rooms, shelves, leaves and lights, mostly out of focus."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.sitters.skin import linear

SIDE = 128
"""Side in pixels; backdrops are mostly blurred, so they are made small and enlarged."""

KINDS = ["plain", "wall", "room", "shapes", "shelves", "leaves", "clouds", "lights"]
PORTIONS = [0.20, 0.17, 0.20, 0.08, 0.07, 0.10, 0.10, 0.08]


class Palette:
    """Random colours around one hue, mostly of low saturation, with rare saturated outliers."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._hue = rng.uniform(0, 2 * np.pi) if rng.random() < 0.4 else rng.normal(0.6, 0.4)
        self._chroma = float(rng.choice([0.06, 0.2, 0.5], p=[0.4, 0.37, 0.23]))
        self._light = float(rng.uniform(25, 190))

    def colour(self) -> NDArray:
        """Draw a colour, linear RGB."""
        rng = self._rng
        hue, chroma = self._hue + rng.normal() * 0.5, self._chroma * rng.uniform(0.4, 1.6)
        if rng.random() < 0.06:
            hue, chroma = rng.uniform(0, 2 * np.pi), 0.6
        wave = np.cos(hue - np.array([0, 2, 4]) * np.pi / 3)
        light = np.clip(self._light * np.exp(rng.normal() * 0.5), 8, 235)
        return linear(np.clip(light * (1 + chroma * wave), 4, 245))


def _gradient(rng: Generator, palette: Palette) -> NDArray:
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.linspace(-1, 1, SIDE)
    along = np.cos(angle) * ramp[None] + np.sin(angle) * ramp[:, None]
    share = (0.5 + 0.5 * np.clip(along, -1, 1))[..., None]
    first = palette.colour()
    second = first * rng.uniform(0.4, 1.4)
    return (first * share + second * (1 - share)).astype(np.float32)


def _clouds(rng: Generator, cells: tuple[int, ...] = (4, 9, 22, 48)) -> NDArray:
    """Multi-scale noise, 0..1 [SIDE, SIDE, 1]."""
    share = np.zeros((SIDE, SIDE), np.float32)
    for k, count in enumerate(cells):
        coarse = rng.normal(size=(count, count)).astype(np.float32)
        share += 0.65**k * cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return (1 / (1 + np.exp(-2 * share)))[..., None]


def _shapes(image: NDArray, rng: Generator, palette: Palette, count: int) -> None:
    for _ in range(count):
        colour = palette.colour().tolist()
        x, y = (int(v) for v in rng.uniform(-0.1, 1.1, 2) * SIDE)
        width, height = (int(v) for v in np.exp(rng.uniform(1.4, 4.4, 2)))
        kind = rng.integers(3)
        if kind == 0:
            cv2.rectangle(image, (x, y), (x + width, y + height), colour, -1)
        elif kind == 1:
            angle = float(rng.uniform(0, 180))
            axes = (width // 2 + 1, height // 2 + 1)
            cv2.ellipse(image, (x, y), axes, angle, 0, 360, colour, -1)
        else:
            ends = [(int(v[0]), int(v[1])) for v in rng.uniform(-0.2, 1.2, (2, 2)) * SIDE]
            cv2.line(image, ends[0], ends[1], colour, int(rng.integers(1, 8)))


def _room(image: NDArray, rng: Generator, palette: Palette) -> None:
    """Vertical edges: a corner, doors, windows, frames on the wall, furniture at the bottom."""
    corner = int(rng.uniform(0, 1) * SIDE)
    image[:, corner:] *= rng.uniform(0.55, 0.95)
    for _ in range(int(rng.integers(1, 4))):
        x, y = int(rng.uniform(-0.1, 0.9) * SIDE), int(rng.uniform(-0.3, 0.5) * SIDE)
        wide, high = int(rng.uniform(0.12, 0.45) * SIDE), int(rng.uniform(0.2, 0.9) * SIDE)
        frame, inside = palette.colour(), palette.colour()
        if rng.random() < 0.3:  # a window in daylight
            inside = np.array([0.75, 0.85, 1.0]) * rng.uniform(0.5, 1.3)
        border = int(rng.integers(1, 5))
        cv2.rectangle(image, (x, y), (x + wide, y + high), frame.tolist(), -1)
        low, top = (x + border, y + border), (x + wide - border, y + high - border)
        cv2.rectangle(image, low, top, inside.tolist(), -1)
    if rng.random() < 0.5:
        y = int(rng.uniform(0.55, 0.95) * SIDE)
        left, right = sorted(int(v) for v in rng.uniform(-0.2, 1.2, 2) * SIDE)
        cv2.rectangle(image, (left, y), (right, SIDE), palette.colour().tolist(), -1)


def _shelves(image: NDArray, rng: Generator, palette: Palette) -> None:
    image *= 0.4
    rows = int(rng.integers(2, 6))
    for row in range(rows):
        top, bottom = row * SIDE // rows, (row + 1) * SIDE // rows
        x = 0
        while x < SIDE:
            wide = int(rng.integers(2, 12))
            rise = int(rng.uniform(0.05, 0.4) * (bottom - top))
            image[top + rise : bottom - 2, x : x + wide] = palette.colour()
            x += wide


def _leaves(image: NDArray, rng: Generator, palette: Palette) -> None:
    """Foliage: many small ellipses in greens and, where light shines through, in bright colours."""
    green = linear(np.array([60, 90, 40]) * rng.uniform(0.5, 1.6, 3))
    image *= 0.5 * (green / green.mean()).astype(np.float32)
    for _ in range(int(rng.integers(60, 220))):
        x, y = (int(v) for v in rng.uniform(0, 1, 2) * SIDE)
        axes = tuple(int(v) for v in rng.uniform(1, 9, 2))
        bright = np.exp(rng.normal() * 0.6)
        colour = np.clip(green * bright, 0, 1.2)
        if rng.random() < 0.12:
            colour = np.array([0.8, 0.9, 1.0]) * rng.uniform(0.4, 1.2)
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(image, (x, y), axes, angle, 0, 360, colour.tolist(), -1)


def _lights(image: NDArray, rng: Generator, palette: Palette) -> None:
    image *= 0.2
    for _ in range(int(rng.integers(4, 18))):
        centre = tuple(int(v) for v in rng.uniform(0, SIDE, 2))
        colour = np.clip(palette.colour() * 1.6 + 0.1, 0, 1.3)
        cv2.circle(image, centre, int(rng.integers(2, 12)), colour.tolist(), -1)


def make_backdrop(seed: int) -> NDArray:
    """Make a backdrop from a seed: linear RGB, float32 [SIDE, SIDE, 3]."""
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(KINDS, p=PORTIONS))
    palette = Palette(rng)
    image = _gradient(rng, palette)
    blur = rng.choice([rng.uniform(0.4, 1.5), rng.uniform(1.5, 4), rng.uniform(4, 9)])
    if kind == "wall":
        _shapes(image, rng, palette, int(rng.integers(1, 4)))
    elif kind == "room":
        _room(image, rng, palette)
    elif kind == "shapes":
        _shapes(image, rng, palette, int(rng.integers(5, 25)))
    elif kind == "shelves":
        _shelves(image, rng, palette)
    elif kind == "leaves":
        _leaves(image, rng, palette)
    elif kind == "clouds":
        share = _clouds(rng)
        image = image * share + palette.colour().astype(np.float32) * (1 - share)
    elif kind == "lights":
        _lights(image, rng, palette)
    if kind != "lights" and rng.random() < 0.7:  # uneven illumination
        image = image * (0.6 + 0.8 * _clouds(rng, (2, 4)))
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), float(blur))
    return np.ascontiguousarray(np.clip(image, 0, 1.5), np.float32)


def sample_backdrop(image: NDArray, samples: int) -> NDArray:
    """Resample the backdrop to a canvas's resolution, float32 [samples * samples, 3]."""
    large = cv2.resize(image, (samples, samples), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(large.reshape(-1, 3), np.float32)
