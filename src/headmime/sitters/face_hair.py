"""Brows, lashes and beards: strands that move with the expression."""

from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.sitters import shade, skin, strands
from headmime.sitters.identity import Hair
from headmime.sitters.strands import POOL, Follicles, Strands, pick, unit


def strand_tones(rng: Generator, hair: Hair, shape: tuple[int, int], open_root: float) -> NDArray:
    """Random (tone, along, grey, openness) of strands, [*shape, 4]."""
    count, steps = shape
    along = np.broadcast_to(np.linspace(0, 1, steps), shape)
    tone = np.exp(rng.normal(size=(count, 1)) * 0.16) * (0.85 + 0.3 * along)
    grey = np.clip(hair.grey + rng.normal(size=(count, 1)) * 0.3 * np.sqrt(hair.grey), 0, 1)
    grey = np.broadcast_to(grey, shape)
    sky = open_root + (1 - open_root) * np.clip(along * 1.6, 0, 1)
    return np.stack([tone, along, grey, sky], -1)


def grow_brows(
    hair: Hair, rest: NDArray, normals: NDArray, where: Follicles, rng: Generator
) -> list[Strands]:
    """Grow short hairs along the painted brows."""
    pool = where.brows
    best = np.full(len(pool.unrolled), 9.0)
    direction = np.zeros((len(best), 2))
    for sign in (-1.0, 1.0):
        path = skin.brow_path(hair, sign)
        for a, b in pairwise(path):
            along = b - a
            share = np.clip(((pool.unrolled - a) @ along) / (along @ along), 0, 1)
            away = np.linalg.norm(pool.unrolled - a - share[:, None] * along, axis=-1)
            closer = away < best
            best = np.where(closer, away, best)
            direction[closer] = along / np.linalg.norm(along)
    tail = np.interp(np.abs(pool.unrolled[:, 0]), [0.012, 0.03, 0.052], [0.85, 1.0, 0.45])
    reach = 0.0036 * hair.brow_thickness * tail
    chosen = pick(rng, np.clip(1.2 - best / reach, 0, 1), int(300 * hair.brow_thickness))
    corners, weights = pool.corners[chosen], pool.weights[chosen]
    roots, normal = pool.on(rest, normals, chosen)
    flat = direction[chosen]
    rising = np.interp(np.abs(pool.unrolled[chosen, 0]), [0.008, 0.02, 0.05], [0.9, 0.25, -0.05])
    way = np.stack([flat[:, 0], 0 * flat[:, 0], flat[:, 1] + rising], -1)
    way = way - (way * normal).sum(-1, keepdims=True) * normal
    way = unit(way + 0.12 * rng.normal(size=way.shape))
    count, steps = len(chosen), 3
    along = np.linspace(0, 1, steps)[None, :, None]
    length = rng.uniform(0.004, 0.0075, (count, 1, 1))
    shape = roots[:, None] + length * along * way[:, None] + 0.0012 * normal[:, None]
    extra = strand_tones(rng, hair, (count, steps), 0.9)
    extra[..., 0] *= 0.75 * hair.brow_colour.mean() / max(hair.colour.mean(), 12) + 0.1
    extra[..., 2] *= 0.7
    width = 0.0009 * np.array([1.0, 0.9, 0.3])
    return [strands.make_strands(shape, width, extra, corners[:, None], weights[:, None])]


def grow_lashes(hair: Hair, rest: NDArray, where: Follicles) -> list[Strands]:
    """Grow upper lashes, with a dark line along the lid."""
    grown = []
    for ids, sign in (((36, 37, 38, 39), -1.0), ((45, 44, 43, 42), 1.0)):
        vertex = where.lids[list(ids)]
        lid = rest[vertex]
        count = 16
        at = np.linspace(0.0, 2.9, count)
        low = np.minimum(at.astype(int), 2)
        part = at - low
        corners = np.stack([vertex[low], vertex[low + 1], vertex[low]], -1)
        weights = np.stack([1 - part, part, 0 * part], -1)
        roots = lid[low] * (1 - part)[:, None] + lid[low + 1] * part[:, None]
        fan = sign * np.linspace(0.9, -0.15, count)
        way = unit(np.stack([fan, -0.9 + 0 * fan, 0.35 + 0 * fan], -1))
        along = np.linspace(0, 1, 3)[None, :, None]
        length = 0.0025 + 0.0045 * hair.lashes
        shape = roots[:, None] + length * along * way[:, None]
        shape[..., 2] += 0.25 * length * along[..., 0] ** 2
        width = (0.0006 + 0.0009 * hair.lashes) * np.array([1.0, 0.7, 0.2])
        line = roots + np.array([0, -0.0012, 0.0002])
        hairs = shape, width, corners[:, None], weights[:, None]
        lid_line = line[None], 0.0007 + 0.0011 * hair.lashes, corners[None], weights[None]
        for points, wide, moved_by, shares in (hairs, lid_line):
            dark = np.broadcast_to([0, 0, 0, 1], (*points.shape[:2], 4))
            made = strands.make_strands(points, wide, dark, moved_by, shares, int(shade.LASH))
            grown.append(made)
    return grown


def grow_beard(
    hair: Hair,
    rest: NDArray,
    normals: NDArray,
    where: Follicles,
    detail: float,
    rng: Generator,
) -> list[Strands]:
    """Grow beard and moustache; detail: see `hair.grow_hair`."""
    pool, marks = where.head, where.marks
    inside = skin.beard_depth(pool.unrolled, marks) + rng.normal(size=POOL) * 0.002
    upper = pool.unrolled[:, 1] > marks[54, 1] - 0.002
    central = np.abs(pool.unrolled[:, 0]) < np.abs(marks[48, 0]) * 1.35
    growth = np.where(upper & central, hair.moustache > 0, hair.beard > 0)
    density = np.clip(inside / 0.004, 0, 1) * growth
    chosen = pick(rng, density, int((3400 if hair.beard else 700) * hair.beard_density * detail))
    if len(chosen) == 0:
        return []
    corners, weights = pool.corners[chosen], pool.weights[chosen]
    roots, normal = pool.on(rest, normals, chosen)
    count, steps = len(chosen), 5
    lip = upper[chosen] & central[chosen]
    sign = np.sign(roots[:, 0])
    down = np.where(
        lip[:, None],
        np.stack([0.9 * sign, -0.1 + 0 * sign, -0.8 + 0 * sign], -1),
        np.stack([0.1 * sign, -0.25 + 0 * sign, -1 + 0 * sign], -1),
    )
    way = unit(0.38 * normal + down + 0.18 * rng.normal(size=down.shape))
    longest = max(hair.beard, 0.008)
    low = np.clip((marks[48, 1] - pool.unrolled[chosen, 1]) / 0.04, 0, 1)
    length = np.where(lip, np.minimum(longest, 0.011), longest * (0.45 + 0.55 * low))
    length = length * rng.uniform(0.6, 1.1, count)
    along = np.linspace(0, 1, steps)[None, :, None]
    shape = roots[:, None] + length[:, None, None] * along * way[:, None]
    shape[..., 2] -= 0.3 * length[:, None] * along[..., 0] ** 2
    shape = strands.curl(
        shape, np.full(count, 0.0012 + hair.curl * 0.003), 0.02, rng.uniform(0, 6.28, count)
    )
    shape = strands.clump(shape, 0.35, rng.choice(count, size=max(4, count // 25), replace=False))
    extra = strand_tones(rng, hair, (count, steps), 0.5)
    width = 0.0012 / detail * np.array([1.0, 1.0, 0.9, 0.7, 0.3])
    grown = strands.make_strands(shape, width, extra, corners[:, None], weights[:, None])
    # long beards, too, move rigidly with the head
    return [grown._replace(share=np.ones_like(grown.share), swing=np.zeros_like(grown.swing))]
