"""Hairstyles: the strands of a sitter."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.sitters import face_hair, skin, strands
from headmime.sitters.face_hair import strand_tones
from headmime.sitters.identity import Hair
from headmime.sitters.strands import POOL, Follicles, Obstacle, Strands, pick, unit


def grow_hair(
    hair: Hair,
    rest: NDArray,
    normals: NDArray,
    obstacle: Obstacle,
    where: Follicles,
    detail: float,
    rng: Generator,
) -> list[Strands]:
    """Grow a sitter's strands. rest [V, 3]: the neutral person; normals [V, 3] of its skin.

    detail: 1 for all strands; lower values give fewer and wider ones, for small images.
    """
    grown = [
        *face_hair.grow_brows(hair, rest, normals, where, rng),
        *face_hair.grow_lashes(hair, rest, where),
    ]
    if hair.beard or hair.moustache:
        grown += face_hair.grow_beard(hair, rest, normals, where, detail, rng)
    if hair.style == "bald" or hair.length <= 0:
        return grown
    pool = where.head
    depth = skin.hair_depth(pool.unrolled, hair)
    ragged = rng.normal(size=POOL) * 0.0025
    density = np.clip((depth + ragged) / 0.004, 0, 1)
    short = hair.length < 0.03
    chosen = pick(rng, density, int((5200 if short else 4200) * detail))
    roots, normal = pool.on(rest, normals, chosen)
    around = pool.unrolled[chosen, 0] / skin.RADIUS
    count = len(chosen)
    jitter = rng.normal(size=(count, 3))
    x, y, z = roots.T
    side = np.sign(x - hair.part * 0.07 + 0.004 * rng.normal(size=count))
    lengths = hair.length * rng.uniform(0.75, 1.05, count)
    start = normal + 0.2 * jitter
    way = normal + 0.3 * jitter
    bend, steps, weight = 0.02, 6, 0.0
    crown = np.clip((z - 0.02) / 0.1, 0, 1)[:, None]
    down = np.array([0.0, 0.0, -1.0])
    thickness = 0.004 + 0.012 * hair.volume
    to_brow = np.clip(z - 0.055, 0.008, 0.12) * rng.uniform(0.9, 1.25, count)
    style = hair.style
    tie = np.array([0.0, 0.128, 0.075 if style == "bun" else 0.055])
    if style == "short":
        parted = 0.5 * side * (abs(hair.part) > 0) * crown[:, 0]
        way = np.stack([parted, -0.5 * crown[:, 0], 0 * x], -1)
        way = 0.55 * normal + way + 0.4 * down * (1 - crown) + 0.2 * jitter
        thickness *= 0.8
    elif style == "forward":
        ahead = np.stack([0.2 * x / 0.07, -1 + 0 * x, -0.2 + 0 * x], -1)
        way = ahead * crown + (1 - crown) * (down + np.array([0, 0.2, 0])) + 0.15 * jitter
        start = normal * 0.5 + way
        steps = 7
        lengths = np.where(y < -0.03, np.minimum(lengths, to_brow), lengths)
    elif style == "back":
        way = np.array([0, 1.0, -0.15]) + 0.8 * down * (1 - crown) + 0.12 * jitter
        start = 0.7 * normal + np.array([0, 0, 0.5]) * (y < -0.03)[:, None] + 0.5 * way
        bend, steps, weight = 0.022, 8, 0.4
        thickness *= 1.2
    elif style in {"side", "long", "bob", "curls", "braids"}:
        front = np.clip((-y - 0.02) / 0.06, 0, 1)
        over = np.stack([side, 0.35 + 0.6 * front, -0.1 + 0 * x], -1)
        back = np.stack([0.3 * side, 0.8 + 0 * x, -0.6 + 0 * x], -1)
        behind = np.clip((y - 0.02) / 0.05, 0, 1)[:, None]
        way = (over * (1 - behind) + back * behind) + 0.1 * jitter
        start = (0.2 + 0.6 * hair.volume) * normal + 0.7 * way
        bend, steps, weight = 0.010 + 0.012 * hair.volume, 14 if hair.length > 0.1 else 9, 1.0
        if style == "side":
            lengths = lengths * np.clip(0.3 + 0.7 * crown[:, 0], 0.25, 1)
            thickness *= 0.8
        if hair.length > 0.1:
            # tips end at one height, instead of equal lengths
            lengths = np.clip(hair.length + (z - 0.07) * 0.7, 0.06, 1) * rng.uniform(
                0.9, 1.02, count
            )
        if hair.fringe:
            bangs = (y < -0.035) & (np.abs(around) < 0.75) & (z > 0.06)
            ahead = np.stack([0.25 * x / 0.05 + 0.2 * side, -0.6 + 0 * x, -0.6 + 0 * x], -1)
            way[bangs] = (ahead + 0.1 * jitter)[bangs]
            start[bangs] = (0.6 * normal + 0.8 * ahead)[bangs]
            lengths[bangs] = to_brow[bangs]
    elif style in {"tied", "bun"}:
        start = 0.35 * normal + unit(tie - roots)
        lengths = np.linalg.norm(tie - roots, axis=-1) * 1.35
        bend, steps = 0.012, 10
        thickness = 0.004 + 0.006 * hair.volume
    elif style == "wreath":
        way = 0.4 * normal + down + np.array([0, 0.5, 0]) + 0.2 * jitter
        thickness *= 0.6
    elif style == "afro":
        steps = 7
        thickness = 0.002
        start = way = normal + 0.45 * jitter
        lengths = hair.length * rng.uniform(0.6, 1.05, count)

    def pull(place: NDArray) -> NDArray:
        """Growth direction: combed on the skull, then down, and away from the face."""
        if style in {"tied", "bun"}:
            return unit(tie - place) + 0.03 * jitter
        off_skull = (np.hypot(place[:, 0], place[:, 1] - 0.01) - 0.078) / 0.03
        hanging = np.clip(np.maximum((0.125 - place[:, 2]) / 0.07, off_skull), 0.4, 1)
        hanging = hanging[:, None] * weight
        target = way * (1 - hanging) + hanging * (1.4 * down + 0.08 * jitter)
        wide = np.clip((0.080 - np.abs(place[:, 0])) / 0.015, 0, 1)
        deep = np.clip((-0.035 - place[:, 1]) / 0.02, 0, 1)
        low = np.clip(((0.060 if hair.fringe else 0.105) - place[:, 2]) / 0.015, 0, 1)
        away = np.stack([np.sign(place[:, 0]) * 3.0, 2.0 + 0 * wide, 0 * wide], -1)
        return target + (wide * deep * low)[:, None] * away

    clearance = rng.uniform(0.15, 1.0, count) * thickness
    shape = strands.grow(roots, start, pull, lengths, steps, bend, obstacle, clearance)
    if style in {"tied", "bun"}:
        reach = np.linalg.norm(shape - tie, axis=-1)
        arrived = np.maximum.accumulate(reach < 0.022, axis=1)
        shape = np.where(arrived[..., None], tie + 0.3 * (shape - tie), shape)
    elif not short:
        guides = rng.choice(
            count, size=max(8, count // (60 if style == "braids" else 18)), replace=False
        )
        amount = 0.92 if style == "braids" else 0.75 * hair.clump
        shape = strands.clump(shape, amount, guides)
    if hair.curl and style not in {"tied", "bun", "buzz"}:
        amount = hair.curl * (0.004 + 0.3 * hair.curl_length) * rng.uniform(0.6, 1.2, count)
        phase = rng.uniform(0, 2 * np.pi, count)
        fine = np.linspace(0, steps - 1, steps * 2 if style in {"afro", "curls"} else steps)
        low = np.minimum(fine.astype(int), steps - 2)
        part = (fine - low)[None, :, None]
        shape = shape[:, low] * (1 - part) + shape[:, low + 1] * part
        wave = max(hair.curl_length, 4 * float(lengths.mean()) / shape.shape[1])
        shape = strands.curl(shape, np.minimum(amount, 0.011), wave, phase)
    shape = _clear_face(shape, 0.045 if hair.fringe else 0.075)
    steps = shape.shape[1]
    along = np.linspace(0, 1, steps)
    wide = 0.0019 if short else 0.0027
    if style in {"afro", "curls"}:
        wide = 0.0024
    width = wide / detail * rng.uniform(0.7, 1.2, (count, 1)) * (1 - 0.75 * along**3)
    extra = strand_tones(rng, hair, (count, steps), 0.35)
    extra[..., 3] *= 0.55 + 0.45 * np.clip(clearance / max(thickness, 1e-6), 0, 1)[:, None]
    grown.append(strands.make_strands(shape, width, extra))
    if style == "bun":
        grown.append(_make_bun(hair, tie, rng))
    elif style == "tied":
        grown.append(_make_tail(hair, tie, obstacle, rng))
    return grown


def _clear_face(shape: NDArray, low: float) -> NDArray:
    """Cut strands [S, K, 3] where they hang in front of the face, below `low` metres."""
    x, y, z = np.moveaxis(shape, -1, 0)
    wide = 0.058 + 0.35 * np.clip(-0.02 - z, 0, 0.06)  # keeps the cheeks free down to the neck
    hanging = (np.abs(x) < wide) & (y < -0.055) & (z < low) & (z > -0.13)
    cut = np.maximum.accumulate(hanging, axis=1)
    last = np.maximum(shape.shape[1] - 1 - cut.sum(1), 0)
    end = shape[np.arange(len(shape)), last]
    return np.where(cut[..., None], end[:, None], shape)


def _make_bun(hair: Hair, tie: NDArray, rng: Generator) -> Strands:
    count, steps = 260, 12
    radius = 0.024 + 0.016 * hair.volume
    axis = unit(rng.normal(size=(count, 3)))
    first = unit(np.cross(axis, rng.normal(size=(count, 3))))
    second = np.cross(axis, first)
    angle = np.linspace(0, 2.6, steps) + rng.uniform(0, 6.28, (count, 1))
    size = radius * rng.uniform(0.8, 1.05, (count, 1, 1))
    ring = np.cos(angle)[..., None] * first[:, None] + np.sin(angle)[..., None] * second[:, None]
    centre = tie + np.array([0, 0.6, 0.35]) * radius
    extra = strand_tones(rng, hair, (count, steps), 0.6)
    return strands.make_strands(centre + size * ring, 0.004, extra)


def _make_tail(hair: Hair, tie: NDArray, obstacle: Obstacle, rng: Generator) -> Strands:
    count, steps = 260, 12
    start = np.array([0, 1.0, 0.25]) + 0.25 * rng.normal(size=(count, 3))
    way = np.array([0, 0.15, -1.0]) + 0.12 * rng.normal(size=(count, 3))
    lengths = rng.uniform(0.16, 0.26, count)
    roots = tie + 0.008 * rng.normal(size=(count, 3))
    clearance = rng.uniform(0.005, 0.03, count)
    shape = strands.grow(roots, start, lambda _: way, lengths, steps, 0.03, obstacle, clearance)
    extra = strand_tones(rng, hair, (count, steps), 0.6)
    return strands.make_strands(shape, 0.0042, extra)
