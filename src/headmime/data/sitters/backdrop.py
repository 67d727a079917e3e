"""What is behind a sitter: out-of-focus walls, shapes, lights and clutter."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.data.sitters.skin import linear

SIDE = 96
"""Backdrops are soft: they are made this small and enlarged."""


def _colour(rng: Generator) -> NDArray:
    base = rng.uniform(15, 225)
    chroma = rng.choice([0.06, 0.2, 0.6], p=[0.5, 0.35, 0.15])
    wave = np.cos(rng.uniform(0, 2 * np.pi) - np.array([0, 2, 4]) * np.pi / 3)
    return linear(np.clip(base * (1 + chroma * wave), 5, 245))


def _gradient(rng: Generator) -> NDArray:
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.linspace(-1, 1, SIDE)
    along = np.cos(angle) * ramp[None] + np.sin(angle) * ramp[:, None]
    share = (0.5 + 0.5 * np.clip(along, -1, 1))[..., None]
    first = _colour(rng)
    second = first * rng.uniform(0.4, 1.4) if rng.random() < 0.6 else _colour(rng)
    return first * share + second * (1 - share)


def _shapes(picture: NDArray, rng: Generator, count: int) -> NDArray:
    picture = np.ascontiguousarray(picture, np.float32)
    for _ in range(count):
        colour = tuple(float(c) for c in _colour(rng))
        x, y = (int(v) for v in rng.uniform(-0.1, 1.1, 2) * SIDE)
        width, height = (int(v) for v in np.exp(rng.uniform(1.2, 4.2, 2)))
        kind = rng.integers(3)
        if kind == 0:
            cv2.rectangle(picture, (x, y), (x + width, y + height), colour, -1)
        elif kind == 1:
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(
                picture, (x, y), (width // 2 + 1, height // 2 + 1), angle, 0, 360, colour, -1
            )
        else:
            ends = [(int(v[0]), int(v[1])) for v in rng.uniform(-0.2, 1.2, (2, 2)) * SIDE]
            cv2.line(picture, ends[0], ends[1], colour, int(rng.integers(1, 8)))
    return picture


def _shelves(rng: Generator) -> NDArray:
    picture = np.ones((SIDE, SIDE, 3), np.float32) * _colour(rng) * 0.4
    rows = int(rng.integers(2, 6))
    for row in range(rows):
        top, bottom = row * SIDE // rows, (row + 1) * SIDE // rows
        x = 0
        while x < SIDE:
            wide = int(rng.integers(2, 9))
            rise = int(rng.uniform(0.05, 0.4) * (bottom - top))
            picture[top + rise : bottom - 2, x : x + wide] = _colour(rng)
            x += wide
    return picture


def _noise(rng: Generator) -> NDArray:
    picture = np.zeros((SIDE, SIDE, 3), np.float32)
    first, second = _colour(rng), _colour(rng)
    share = np.zeros((SIDE, SIDE), np.float32)
    for cells, strength in ((4, 1.0), (9, 0.6), (22, 0.4), (48, 0.25)):
        coarse = rng.normal(size=(cells, cells)).astype(np.float32)
        share += strength * cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    share = (1 / (1 + np.exp(-2 * share)))[..., None]
    picture += first * share + second * (1 - share)
    return picture


def backdrop(seed: int) -> NDArray:
    """A linear RGB picture, float32 [SIDE, SIDE, 3], the same for the same seed."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["plain", "wall", "shapes", "shelves", "noise", "lights"], p=PORTIONS)
    picture = _gradient(rng).astype(np.float32)
    blur = rng.uniform(0.5, 3)
    if kind == "wall":
        picture = _shapes(picture, rng, int(rng.integers(1, 4)))
    elif kind == "shapes":
        picture = _shapes(picture, rng, int(rng.integers(5, 25)))
        blur = rng.choice([rng.uniform(0.3, 1.5), rng.uniform(1.5, 8)])
    elif kind == "shelves":
        picture = _shelves(rng)
        blur = rng.uniform(0.4, 5)
    elif kind == "noise":
        picture = _noise(rng)
        blur = rng.uniform(0.3, 3)
    elif kind == "lights":
        picture = picture * 0.2
        for _ in range(int(rng.integers(4, 18))):
            centre = tuple(int(v) for v in rng.uniform(0, SIDE, 2))
            colour = tuple(float(c) for c in np.clip(_colour(rng) * 1.6, 0, 1.3))
            cv2.circle(picture, centre, int(rng.integers(2, 9)), colour, -1)
        blur = rng.uniform(0.8, 2.5)
    picture = cv2.GaussianBlur(picture, (0, 0), float(blur))
    return np.ascontiguousarray(picture, np.float32)


PORTIONS = [0.22, 0.2, 0.2, 0.1, 0.16, 0.12]


def behind(picture: NDArray, samples: int) -> NDArray:
    """The backdrop at the resolution of a canvas, float32 [samples * samples, 3]."""
    large = cv2.resize(picture, (samples, samples), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(large.reshape(-1, 3), np.float32)
