"""Skin texture of a sitter, on a cylinder around the template's head."""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.landmarks import points
from headmime.sitters.identity import Hair, Skin
from headmime.sitters.shade import TEXTURE_HIGH, TEXTURE_LOW

ROWS, COLUMNS = 256, 400
RADIUS = 0.1
"""Radius of the cylinder, metres: converts angles around the head to lengths."""

LOW, HIGH = float(TEXTURE_LOW), float(TEXTURE_HIGH)


def linear(srgb: NDArray) -> NDArray:
    """sRGB 0..255 -> linear 0..1."""
    value = np.clip(np.asarray(srgb, np.float64) / 255, 0, 1)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def unroll(place: NDArray) -> NDArray:
    """Template coordinates [..., 3] -> (metres around the head from the nose, height) [..., 2]."""
    return np.stack([np.arctan2(place[..., 0], -place[..., 1]) * RADIUS, place[..., 2]], -1)


@lru_cache(maxsize=1)
def grid() -> NDArray:
    """(around, height) of every texel, float32 [ROWS, COLUMNS, 2]."""
    around = np.linspace(-np.pi, np.pi, COLUMNS) * RADIUS
    height = np.linspace(HIGH, LOW, ROWS)
    return np.stack(np.meshgrid(around, height), -1).astype(np.float32)


def noise(rng: Generator, scale: float) -> NDArray:
    """Smooth noise [ROWS, COLUMNS], periodic around the head, about -2..2, scale in metres."""
    rows = max(2, int((HIGH - LOW) / scale) + 2)
    columns = max(2, int(2 * np.pi * RADIUS / scale) + 2)
    coarse = rng.normal(size=(rows, columns)).astype(np.float32)
    coarse[:, -1] = coarse[:, 0]
    return cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)


def soft_blob(centre: tuple[float, float], width: float, height: float) -> NDArray:
    """A Gaussian [ROWS, COLUMNS] at a centre (around, height) with deviations width, height (m)."""
    cells = grid()
    columns = np.exp(-0.5 * ((cells[0, :, 0] - centre[0]) / width) ** 2)
    rows = np.exp(-0.5 * ((cells[:, 0, 1] - centre[1]) / height) ** 2)
    return (rows[:, None] * columns).astype(np.float32)


FAR = 0.012


def distance_to(path: NDArray) -> NDArray:
    """Distance (m) of every texel to a polyline [N, 2] of (around, height), clipped at `FAR`."""
    cells = grid()
    (left, low), (right, high) = path.min(0) - FAR, path.max(0) + FAR
    columns = slice(*np.searchsorted(cells[0, :, 0], (left, right)))
    rows = slice(*np.searchsorted(-cells[:, 0, 1], (-high, -low)))
    window = cells[rows, columns]
    best = np.full(window.shape[:2], FAR, np.float32)
    for a, b in pairwise(path):
        along = (b - a).astype(np.float32)
        share = np.clip(((window - a) @ along) / max(float(along @ along), 1e-9), 0, 1)
        offset = window - a.astype(np.float32) - share[..., None] * along
        best = np.minimum(best, np.hypot(offset[..., 0], offset[..., 1]))
    distance = np.full((ROWS, COLUMNS), FAR, np.float32)
    distance[rows, columns] = best
    return distance


def smoothstep(low: float, high: float, value: NDArray) -> NDArray:
    """Smoothstep: 0 below `low`, 1 above `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


HAIRLINE = np.array(
    [
        # degrees around the head from the nose, height of the hairline
        (0, 0.103),
        (18, 0.102),
        (34, 0.094),
        (46, 0.076),
        (58, 0.060),
        (70, 0.045),
        (80, 0.030),
        (92, 0.036),
        (104, 0.030),
        (114, -0.012),
        (135, -0.040),
        (180, -0.048),
    ]
)


def hair_depth(place: NDArray, hair: Hair) -> NDArray:
    """Signed distance (m) of places (around, height) [..., 2] to the hairline, positive in hair."""
    angle = np.degrees(np.abs(place[..., 0]) / RADIUS)
    line = np.interp(angle, HAIRLINE[:, 0], HAIRLINE[:, 1])
    line = line + hair.hairline * np.clip(1 - angle / 60, 0, 1)
    line = line + hair.temples * np.exp(-0.5 * ((angle - 36) / 13) ** 2)
    line = line - hair.sideburns * np.exp(-0.5 * ((angle - 78) / 6) ** 2)
    inside = place[..., 1] - line
    if hair.style == "wreath":  # a ring of hair around a bald top
        inside = np.minimum(
            inside, 0.052 - place[..., 1] + 0.1 * np.clip(angle / 90 - 1.35, -1, 0.35)
        )
    return inside


def beard_depth(place: NDArray, marks: NDArray) -> NDArray:
    """Signed distance of places [..., 2] to the border of the beard, metres, positive inside.

    marks: unrolled landmarks [68, 2].
    """
    around, height = np.abs(place[..., 0]), place[..., 1]
    mouth, chin = marks[points.LIPS_OUTER], marks[points.CHIN]
    corner = np.abs(mouth[:, 0]).max()
    # Upper edge: from the sideburn in a concave curve to above the end of the moustache
    ear = RADIUS * np.radians(80)
    upper = np.interp(
        around,
        [0, corner * 0.55, corner * 1.35, corner * 2.2, ear, ear * 1.1],
        [0.006, 0.009, 0.000, -0.004, 0.045, 0.045],
    )
    upper = upper + np.where(around < corner * 1.4, marks[51, 1] + 0.004, marks[48, 1])
    lower = np.interp(around, [0, ear], [chin[1] - 0.022, chin[1] + 0.035])
    inside = np.minimum(np.minimum(upper - height, height - lower), ear * 1.06 - around)
    middle = (mouth[:, 1].max() + mouth[:, 1].min()) / 2
    half = (mouth[:, 1].max() - mouth[:, 1].min()) / 2
    lips = np.hypot(around / (corner * 1.02), (height - middle) / (half * 1.05)) - 1
    return np.minimum(inside, lips * half)


BROW = np.array(
    [(0.0090, 0.0490), (0.0175, 0.0510), (0.0275, 0.0524), (0.0390, 0.0514), (0.0505, 0.0466)]
)
"""Centre line of an average left brow, unrolled, from the nose outwards."""


def brow_path(hair: Hair, sign: float) -> NDArray:
    """Centre line [5, 2] of a brow, unrolled, from the nose outwards; sign: -1 right, 1 left."""
    path = BROW + np.array([[0, 1.0], [0, 1.2], [0, 1.3], [0, 1.2], [0, 0.8]]) * hair.brow_height
    path = path + np.array([[0, -0.3], [0, 0], [0, 0.5], [0, 0.8], [0, -0.3]]) * hair.brow_arch
    return path * np.array([sign, 1.0])


def paint(skin: Skin, hair: Hair, marks: NDArray, rng: Generator) -> NDArray:
    """Paint the texture: linear RGB and gloss, float32 [ROWS, COLUMNS, 4].

    marks: the template's unrolled landmarks [68, 2].
    """
    cells = grid()
    front = np.exp(-0.5 * (cells[..., 0] / 0.09) ** 4)
    tone = np.ones((ROWS, COLUMNS, 1), np.float32) * linear(skin.tone).astype(np.float32)
    red, dark = np.array([1.06, 0.80, 0.80]), np.array([0.80, 0.74, 0.74])

    def tint(mask: NDArray, factor: NDArray) -> None:
        nonlocal tone
        mask = np.clip(mask, 0, 1, dtype=np.float32)[..., None]
        tone = tone * (1 + mask * (factor - 1).astype(np.float32))

    blotches = noise(rng, 0.03) + 0.7 * noise(rng, 0.012)
    tone = tone * (1 + 0.035 * skin.mottling * blotches[..., None] * np.array([0.6, 1.0, 1.1]))
    fine = noise(rng, 0.0035) + noise(rng, 0.006)
    tone = tone * (1 + 0.014 * (0.4 + skin.age) * fine[..., None])
    eye_r, eye_l = marks[points.EYE_R].mean(0), marks[points.EYE_L].mean(0)
    nose, chin = marks[points.NOSE_TIP], marks[points.CHIN]
    blush = 0.5 * skin.redness + skin.blush
    for eye in (eye_r, eye_l):
        cheek = (eye[0] * 1.25, (eye[1] + marks[33, 1]) / 2 - 0.006)
        tint(blush * soft_blob(cheek, 0.020, 0.014) * (1 + 0.3 * blotches), red)
        tint(0.55 * skin.bags * soft_blob((eye[0] * 0.95, eye[1] - 0.011), 0.013, 0.0045), dark)
        tint(0.25 * soft_blob((eye[0], eye[1] + 0.004), 0.016, 0.009), dark)
        shadow = soft_blob((eye[0] * 1.05, eye[1] + 0.005), 0.013, 0.006)[..., None]
        shadow = shadow * skin.eye_shadow_strength
        tone = tone * (1 - shadow) + linear(skin.eye_shadow) * shadow
    tint(0.7 * skin.redness * soft_blob((0, nose[1] - 0.002), 0.011, 0.010), red)
    tint(0.3 * skin.redness * soft_blob((0, chin[1] + 0.012), 0.014, 0.008), red)

    if skin.freckles:
        spots = smoothstep(1.5, 2.0, noise(rng, 0.0030)) * (
            soft_blob((0, eye_r[1] - 0.018), 0.05, 0.025)
        )
        tint(0.6 * skin.freckles * spots, np.array([0.72, 0.55, 0.45]))
    for _ in range(skin.moles):
        place = (rng.uniform(-0.07, 0.07), rng.uniform(chin[1], 0.09))
        tint(
            0.8 * smoothstep(0.35, 0.6, soft_blob(place, 0.0014, 0.0014)),
            np.array([0.35, 0.26, 0.24]),
        )
    _wrinkles(skin, marks, rng, tint)

    hair_colour = linear(hair.colour) * (1 - 0.6 * hair.grey) + 0.6 * hair.grey * linear(
        np.array([150.0, 148, 145])
    )
    beard = smoothstep(-0.004, 0.006, beard_depth(cells, marks) + 0.0025 * noise(rng, 0.006))
    shade = beard * np.clip(
        hair.stubble * 0.55 + (hair.beard > 0) * 0.55 * hair.beard_density, 0, 0.85
    )
    shade = shade * (0.85 + 0.1 * noise(rng, 0.004))
    tint(shade, np.clip(0.35 + 0.5 * hair_colour / linear(skin.tone), 0.15, 1.0))
    if hair.style != "bald":
        inside = hair_depth(cells, hair) + 0.003 * noise(rng, 0.008) + 0.0015 * noise(rng, 0.0035)
        soft = 0.010 if hair.style in {"buzz", "short", "wreath", "afro"} else 0.006
        scalp = smoothstep(-0.2 * soft, soft, inside)[..., None]
        scalp = scalp * (0.55 if hair.style == "buzz" and hair.length < 0.005 else 0.9)
        tone = tone * (1 - scalp) + hair_colour * 0.5 * scalp
    elif hair.stubble > 0.3:  # a shaved head
        scalp = smoothstep(-0.002, 0.008, hair_depth(cells, hair)) * 0.3 * hair.stubble
        tint(scalp, np.clip(0.4 + 0.4 * hair_colour / linear(skin.tone), 0.2, 1.0))
    brow_colour = linear(hair.brow_colour)
    for sign in (-1.0, 1.0):
        away = distance_to(brow_path(hair, sign)) + 0.0006 * noise(rng, 0.003)
        tail = np.interp(np.abs(cells[..., 0]), [0.012, 0.03, 0.052], [0.85, 1.0, 0.45])
        mask = smoothstep(0.0056, 0.0008, away / (tail * hair.brow_thickness))[..., None] * 0.5
        tone = tone * (1 - mask) + brow_colour * mask

    oily = soft_blob((0, 0.085), 0.03, 0.018) + soft_blob((0, nose[1]), 0.012, 0.025)
    gloss = skin.gloss * (0.45 + 0.55 * np.clip(oily + 0.15 * blotches, 0, 1)) * (0.4 + 0.6 * front)
    gloss = gloss * (1 - 0.8 * beard * (hair.beard > 0))
    return np.concatenate([np.clip(tone, 0.002, 0.95), gloss[..., None]], -1).astype(np.float32)


def _wrinkles(
    skin: Skin, marks: NDArray, rng: Generator, tint: Callable[[NDArray, NDArray], None]
) -> None:
    """Tint forehead lines, crow's feet and nasolabial folds as darker lines."""
    dark = np.array([0.66, 0.56, 0.52])
    wobble = noise(rng, 0.02)
    old = skin.age
    for k in range(3):
        height = 0.066 + 0.011 * k + rng.normal() * 0.002
        line = np.abs(grid()[..., 1] - height - 0.002 * wobble)
        mask = smoothstep(0.0026, 0.0004, line) * soft_blob((0, height), 0.032, 0.02)
        tint(0.75 * old * rng.uniform(0.3, 1) * mask, dark)
    for sign in (-1, 1):
        wing = marks[31 if sign < 0 else 35]
        corner = marks[48 if sign < 0 else 54]
        fold = np.array(
            [
                wing + np.array([sign * 0.007, 0.002]),
                wing + np.array([sign * 0.011, -0.010]),
                corner + np.array([sign * 0.008, 0.004]),
                corner + np.array([sign * 0.009, -0.010]),
            ]
        )
        tint((0.10 + 0.45 * old) * smoothstep(0.0036, 0.0, distance_to(fold)), dark)
        outer = marks[36 if sign < 0 else 45]
        for k in range(3):
            end = outer + np.array([sign * 0.017, 0.009 - 0.008 * k])
            crow = np.array([outer + np.array([sign * 0.004, 0.001]), end])
            tint(0.55 * old * smoothstep(0.0018, 0.0004, distance_to(crow)), dark)
