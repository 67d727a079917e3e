"""A face made of points: frontal, upright, 100 units from one outer eye corner to the other."""

import numpy as np
import pytest


def loop(x: float, y: float, width: float, height: float, points: int) -> np.ndarray:
    """Points on an ellipse, from its leftmost one, clockwise."""
    angle = np.pi + 2 * np.pi * np.arange(points) / points
    return np.stack([x + width / 2 * np.cos(angle), y + height / 2 * np.sin(angle)], -1)


def synthetic_face(opening: float = 0.0) -> np.ndarray:
    """Eyes at y = 0, chin at y = 125, brows at y = -25: float32 [68, 2], the nose's axis at x = 0.

    opening: the gap between the inner lips.
    """
    below = np.pi * np.arange(17) / 16
    jaw = np.stack([-80 * np.cos(below), 125 * np.sin(below)], -1)
    brows = [np.stack([np.linspace(*ends, 5), np.full(5, -25.0)], -1) for ends in BROWS]
    bridge = np.stack([np.zeros(4), [0, 15, 30, 45]], -1)
    base = np.stack([np.linspace(-15, 15, 5), np.full(5, 52.0)], -1)
    eyes = [loop(x, 0, 30, 10, 6) for x in (-35, 35)]
    lips = [loop(0, 80, 60, 24 + opening, 12), loop(0, 80, 45, opening, 8)]
    return np.concatenate([jaw, *brows, bridge, base, *eyes, *lips]).astype(np.float32)


BROWS = ((-60, -15), (15, 60))


@pytest.fixture
def face() -> np.ndarray:
    return synthetic_face()


@pytest.fixture
def open_face() -> np.ndarray:
    return synthetic_face(opening=30)
