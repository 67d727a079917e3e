"""Random clothes, glasses, earrings and headwear of sitters."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

HEADWEAR = {False: (0.94, 0.045, 0.01, 0.005), True: (0.91, 0.02, 0.025, 0.045)}
"""Female -> shares of none, cap, band and scarf."""


@dataclass(frozen=True)
class Clothes:
    """Parameters of clothes; colours are sRGB 0..255."""

    neck: str  # "crew" | "vee" | "collar" | "turtle" | "wide" | "jacket"
    colour: NDArray
    second: NDArray
    inner: NDArray
    pattern: int
    pattern_scale: float
    pattern_angle: float
    depth: float
    thickness: float
    folds: float
    gloss: float
    lapel: float
    tie: bool
    glasses: str  # "" | "round" | "square" | "half"
    glasses_colour: NDArray
    earrings: float  # size, 0: none
    headwear: str  # "" | "cap" | "band" | "scarf"
    headwear_colour: NDArray


def random_clothes(rng: Generator, old: float, female: bool) -> Clothes:
    """Draw random clothes. old: 0 young, 1 old."""
    necks = ["crew", "crew", "vee", "collar", "collar", "turtle", "wide", "jacket", "jacket"]
    neck = str(rng.choice([*necks, "wide", "wide", "vee"] if female else necks))
    glasses = (
        str(rng.choice(["round", "square", "half"])) if rng.random() < 0.12 + 0.2 * old else ""
    )
    frame = np.array([[20, 18, 18], [60, 38, 22], [150, 140, 120], [110, 24, 28], [190, 180, 165]])
    inner = _cloth_colour(rng)
    return Clothes(
        neck=neck,
        colour=_cloth_colour(rng),
        second=_cloth_colour(rng),
        inner=inner if rng.random() < 0.4 else np.array([228.0, 228, 226]),
        pattern=0 if rng.random() < 0.6 or neck == "jacket" else int(rng.integers(1, 5)),
        pattern_scale=float(np.exp(rng.uniform(np.log(15), np.log(60)))),
        pattern_angle=float(rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])),
        depth=float(rng.uniform(0, 1)),
        thickness=float(rng.uniform(0.004, 0.010)),
        folds=float(rng.uniform(0.2, 0.7)),
        gloss=float(rng.choice([0.0, rng.uniform(0, 0.6)])),
        lapel=float(rng.uniform(0.12, 0.4)),
        tie=bool(rng.random() < (0.1 if female else 0.6)),
        glasses=glasses,
        glasses_colour=frame[rng.integers(len(frame))],
        earrings=float(rng.uniform(0.5, 1) if female and rng.random() < 0.3 else 0),
        headwear=str(rng.choice(["", "cap", "band", "scarf"], p=HEADWEAR[female])),
        headwear_colour=_cloth_colour(rng),
    )


def _cloth_colour(rng: Generator) -> NDArray:
    if rng.random() < 0.45:  # black, white, grey, navy, beige
        plain = np.array(
            [
                [22, 22, 24],
                [232, 230, 226],
                [120, 120, 122],
                [28, 36, 62],
                [186, 168, 140],
                [70, 62, 56],
            ]
        )
        return np.clip(plain[rng.integers(len(plain))] + rng.normal(size=3) * 8, 8, 245)
    hue = rng.uniform(0, 2 * np.pi)
    chroma, light = rng.uniform(0.05, 0.5), rng.uniform(25, 200)
    wave = np.cos(hue - np.array([0, 2, 4]) * np.pi / 3)
    return np.clip(light * (1 + chroma * wave), 8, 245)
