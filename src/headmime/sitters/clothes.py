"""Geometry of clothes and headwear (shells around the body), glasses and earrings (wires)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headmime.landmarks import points
from headmime.sitters import shade, skin, strands
from headmime.sitters.body import Body
from headmime.sitters.strands import Strands
from headmime.sitters.wardrobe import Clothes


@dataclass(frozen=True)
class Shell:
    """A copy of some of the body's triangles, moved outwards.

    source [C]: the body's vertices; offset [C]: metres along their normals; cut [C]: solid where
    >= 0; faces [F, 3]: indices into source; inner: colour, 0 the garment's, 1 that of the garment
    below, 2 the headwear's.
    """

    source: NDArray
    offset: NDArray
    cut: NDArray
    faces: NDArray
    inner: float


def _above_neckline(place: NDArray, front: float, back: float) -> NDArray:
    """Height of template points [N, 3] above a plane through front and back of the neck, metres."""
    slope = (back - front) / 0.14
    return place[:, 2] - front - slope * (place[:, 1] + 0.06)


def _shell(body: Body, where: NDArray, offset: NDArray, cut: NDArray, inner: float) -> Shell:
    """The part within the vertices `where`, bool [V]; offset and cut [V]."""
    solid = body.faces[body.part == 0]
    kept = solid[(cut[solid].max(1) >= 0) & where[solid].all(1)]
    source, inverse = np.unique(kept, return_inverse=True)
    return Shell(source, offset[source], cut[source], inverse.reshape(-1, 3), inner)


def dress(clothes: Clothes, body: Body) -> list[Shell]:
    """Make the garments of a sitter."""
    place = body.vertices
    low = place[:, 2] < -0.03
    x, y = np.abs(place[:, 0]), place[:, 1]
    front = np.clip((-y - 0.0) / 0.04, 0, 1)
    thick = np.full(len(place), clothes.thickness)
    shoulder = 0.8 * (x - 0.078)  # >= 0 on the shoulders, which are always covered
    crew = -_above_neckline(place, -0.172 - 0.015 * clothes.depth, -0.112)
    crew = np.maximum(crew, shoulder)
    if clothes.neck == "crew":
        return [_shell(body, low, thick, crew, 0)]
    if clothes.neck == "wide":
        wide = -_above_neckline(place, -0.190 - 0.03 * clothes.depth, -0.140)
        wide = wide - 0.35 * np.clip(0.10 - x, 0, 0.1) * front
        wide = np.maximum(wide, shoulder - 0.03 - 0.02 * clothes.depth)
        return [_shell(body, low, thick, wide, 0)]
    if clothes.neck == "vee":
        vee = crew - np.clip((0.05 + 0.05 * clothes.depth) * (1 - x / 0.06), 0, 1) * front
        return [_shell(body, low, thick, vee, 0)]
    if clothes.neck == "turtle":
        high = -_above_neckline(place, -0.125 + 0.02 * clothes.depth, -0.075)
        high = np.maximum(high, shoulder)
        near = np.clip(1 - np.abs(high) / 0.05, 0, 1)
        return [_shell(body, low, thick + 0.004 * near, high, 0)]
    # A flaring stand-up collar, open in front; under a jacket it is part of the inner shirt
    rise = _above_neckline(place, -0.165, -0.105)
    flare = 0.004 + 0.30 * np.clip(rise + 0.02, 0, 0.06)
    gap = (0.006 + 0.25 * np.clip(rise + 0.03, 0, 0.1)) * (0.6 + clothes.depth) * front
    top = 0.026 - 0.012 * front
    band = np.minimum(np.minimum(top - rise, rise + 0.03), np.where(y < 0, x - gap, 1))
    band = np.minimum(band, 0.088 - x)
    body_of_shirt = crew - np.clip(0.04 * (1 - x / 0.03), 0, 1) * front * clothes.depth
    inner = 1.0 if clothes.neck == "jacket" else 0.0
    collar = _shell(body, low, thick + flare, band, inner)
    return [_shell(body, low, thick, body_of_shirt, 0), collar]


def make_headwear(clothes: Clothes, body: Body) -> list[Shell]:
    """Make a woollen cap, a headband or a headscarf."""
    if not clothes.headwear:
        return []
    place = body.vertices
    unrolled = skin.unroll(place)
    angle = np.degrees(np.abs(unrolled[:, 0]) / skin.RADIUS)
    line = np.interp(angle, [0, 60, 95, 180], [0.080, 0.058, 0.040, 0.0])
    line = line + 0.012 * (clothes.depth - 0.5)
    thick = np.full(len(place), 0.011 + 0.007 * clothes.folds)
    if clothes.headwear == "cap":
        cut = place[:, 2] - line
        thick = thick + 0.03 * clothes.folds * np.clip((place[:, 2] - 0.11) / 0.05, 0, 1)
    elif clothes.headwear == "band":
        cut = np.minimum(place[:, 2] - line, line + 0.022 + 0.02 * clothes.depth - place[:, 2])
    else:
        middle = np.array([0.0, -0.002 - 0.004 * clothes.depth])
        away = np.hypot(*((unrolled - middle) / (0.074, 0.083)).T) - 1
        away = np.where(angle > 90, 1.0, away)
        cut = np.minimum(0.08 * away, place[:, 2] + 0.20)
        thick = thick + 0.012 * np.clip(-place[:, 2] / 0.1, 0, 1)
    bare = (body.paint_ears < 0.3) & (body.paint_mouth < 0.3)
    if clothes.headwear != "scarf":  # a scarf covers the ears
        cut = np.where(bare, cut, -0.02)
    return [_shell(body, body.paint_mouth < 0.3, thick, cut, 2.0)]


def make_earrings(clothes: Clothes, body: Body, rest: NDArray) -> list[Strands]:
    """Make a ring below each ear lobe of a neutral person `rest` [V, 3]."""
    if not clothes.earrings:
        return []
    rings = []
    for sign in (-1, 1):
        ear = np.flatnonzero((body.paint_ears > 0.6) & (sign * body.vertices[:, 0] > 0))
        lobe = rest[ear[np.argmin(rest[ear, 2])]]
        angle = np.linspace(0, 2 * np.pi, 13)
        radius = 0.004 + 0.009 * clothes.earrings
        ring = np.stack([0.35 * np.cos(angle), 0.6 * np.cos(angle), np.sin(angle) - 1], -1)
        rings.append(lobe + np.array([sign * 0.002, -0.003, 0.002]) + radius * ring)
    return [_wires(rings, 0.0022)]


def make_glasses(clothes: Clothes, marks: NDArray) -> list[Strands]:
    """Make rims, bridge and temples for a neutral person with landmarks `marks` [68, 3]."""
    if not clothes.glasses:
        return []
    eye_r, eye_l = marks[points.EYE_R].mean(0), marks[points.EYE_L].mean(0)
    bridge = marks[27]
    gap = eye_l[0] - eye_r[0]
    depth = min(bridge[1], marks[19][1], marks[24][1]) - 0.006
    square = {"round": 2.0, "square": 4.0, "half": 3.0}[clothes.glasses]
    width = 0.0028 if clothes.glasses == "square" else 0.0016
    lines = []
    for eye in (eye_r, eye_l):
        angle = np.linspace(0, 2 * np.pi, 29)
        if clothes.glasses == "half":
            angle = np.linspace(-0.1, np.pi + 0.1, 29)
        c, s = np.cos(angle), np.sin(angle)
        c, s = np.sign(c) * np.abs(c) ** (2 / square), np.sign(s) * np.abs(s) ** (2 / square)
        centre = np.array([eye[0] * 1.04, depth, eye[2] - 0.004])
        ring = centre + np.stack(
            [0.40 * gap * c, 0.12 * np.abs(0.40 * gap * c), 0.33 * gap * s], -1
        )
        ring[:, 1] += 0.010 * ((ring[:, 0] / (eye[0] + 1e-9)) > 1) * np.abs(c)
        lines.append(ring)
    inside = 0.64 * gap / 2 * 0.22
    across = np.linspace(-1, 1, 29)[:, None]
    mid = np.array([0, depth - 0.001, bridge[2] + 0.001])
    lines.append(mid + across * np.array([inside * 1.6, 0, 0]) + (1 - across**2) * [0, 0, 0.003])
    for sign in (-1, 1):
        hinge = np.array(
            [sign * (abs(eye_l[0]) * 1.04 + 0.40 * gap), depth + 0.012, eye_l[2] + 0.004]
        )
        ear = np.array([sign * 0.079, 0.015, eye_l[2] + 0.004])
        lines.append(hinge + np.linspace(0, 1, 29)[:, None] * (ear - hinge))
    return [_wires(lines, width)]


def _wires(lines: list[NDArray], width: float) -> Strands:
    extra = np.ones((len(lines), len(lines[0]), 4))
    return strands.make_strands(np.stack(lines), width, extra, material=int(shade.WIRE))
