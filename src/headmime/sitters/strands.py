"""Geometry of hair: follicles on the skin, and strands (also used for wires)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]  (compiled)

from headmime.sitters import shade, skin
from headmime.sitters.body import Body

POOL = 40000


class Strands(NamedTuple):
    """S polylines of K points in a sitter's neutral pose (metres).

    points, tangents, outward [S, K, 3]; width [S, K] metres; share [S, K]: share of the head's
    motion in a point's (0: the shoulders'); swing [S, K]: share of the lag behind a turning head;
    extra [S, K, 4]: tone, along, grey, openness; corners [S, K, 3] and weights: vertices with whose
    expression a point moves.
    """

    points: NDArray
    tangents: NDArray
    outward: NDArray
    width: NDArray
    share: NDArray
    swing: NDArray
    extra: NDArray
    corners: NDArray
    weights: NDArray
    material: int


def unit(vectors: NDArray) -> NDArray:
    """Normalise vectors [..., 3] to length 1."""
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-12)


def make_strands(
    points: NDArray,
    width: NDArray | float,
    extra: NDArray,
    corners: NDArray | None = None,
    weights: NDArray | None = None,
    material: int = int(shade.HAIR),
) -> Strands:
    """Make strands from polylines [S, K, 3], deriving tangents, normals and motion shares.

    corners, weights: per strand [S, 1, 3] or per point [S, K, 3]; None: the expression does not
    move them.
    """
    if corners is None or weights is None:
        corners = weights = np.zeros((1, 1, 3))
    middle = np.zeros_like(points)
    middle[..., 1] = 0.005
    middle[..., 2] = np.clip(points[..., 2], -0.3, 0.055)
    fall = np.clip((points[..., 2] + 0.235) / 0.135, 0, 1)
    return Strands(
        points=points.astype(np.float32),
        tangents=unit(np.gradient(points, axis=1)).astype(np.float32),
        outward=unit(points - middle).astype(np.float32),
        width=np.broadcast_to(width, points.shape[:2]).astype(np.float32),
        share=(fall * fall * (3 - 2 * fall)).astype(np.float32),
        swing=np.clip((-0.02 - points[..., 2]) / 0.16, 0, 0.85).astype(np.float32),
        extra=extra.astype(np.float32),
        corners=np.broadcast_to(corners, points.shape).astype(np.int32),
        weights=np.broadcast_to(weights, points.shape).astype(np.float32),
        material=material,
    )


def join(groups: list[Strands]) -> Strands:
    """The points of all strands in one row: arrays [M, ...]; `material` is the first group's."""
    parts = zip(*(group[:-1] for group in groups), strict=True)
    rows = (np.concatenate([p.reshape(-1, *p.shape[2:]) for p in part]) for part in parts)
    return Strands(*rows, material=groups[0].material)


class Obstacle:
    """A surface, points and normals [N, 3], that strands must not enter."""

    def __init__(self, points: NDArray, normals: NDArray) -> None:
        self.tree, self.normals = cKDTree(points), normals

    def push(self, points: NDArray, clearance: NDArray) -> NDArray:
        """Move points [S, 3] that are inside or nearer than clearance [S] out along the normal."""
        _, nearest = self.tree.query(points)
        normal = self.normals[nearest]
        height = ((points - self.tree.data[nearest]) * normal).sum(-1)
        return points + np.maximum(clearance - height, 0)[:, None] * normal


def grow(
    roots: NDArray,
    start: NDArray,
    pull: Callable[[NDArray], NDArray],
    lengths: NDArray,
    steps: int,
    bend: float,
    obstacle: Obstacle,
    clearance: NDArray,
) -> NDArray:
    """Grow S strands of `steps` points: [S, steps, 3]. Each starts in direction `start` [S, 3] and
    bends towards pull(points [S, 3]) [S, 3] with length scale `bend`; lengths [S]; metres.
    """
    points = [roots]
    direction = unit(start)
    step = (lengths / (steps - 1))[:, None]
    stiffness = np.exp(-step / bend)
    for k in range(1, steps):
        direction = unit(stiffness * direction + (1 - stiffness) * pull(points[-1]))
        low = np.minimum(1, k / (0.25 * steps)) * clearance
        target = obstacle.push(points[-1] + step * direction, low)
        direction = unit(target - points[-1])
        points.append(points[-1] + step * direction)
    return np.stack(points, 1)


def clump(points: NDArray, amount: float, guides: NDArray) -> NDArray:
    """Pull the tips of strands [S, K, 3] towards the nearest guide strand, to form locks."""
    tree = cKDTree(points[guides, 0])
    nearest = guides[tree.query(points[:, 0])[1]]
    along = np.linspace(0, 1, points.shape[1])[None, :, None]
    towards = points[nearest] + 0.35 * (points[:, :1] - points[nearest, :1])
    return points + amount * along**0.8 * (towards - points)


def curl(points: NDArray, amount: NDArray, wavelength: float, phase: NDArray) -> NDArray:
    """Curl strands [S, K, 3] into helices of radius `amount` [S] metres."""
    tangent = unit(np.gradient(points, axis=1))
    first = unit(np.cross(tangent, np.array([0.31, 0.74, 0.6])))
    second = np.cross(tangent, first)
    steps = np.linalg.norm(np.diff(points, axis=1), axis=-1)
    travelled = np.concatenate([np.zeros((len(points), 1)), np.cumsum(steps, 1)], 1)
    angle = 2 * np.pi * travelled / wavelength + phase[:, None]
    radius = amount[:, None] * np.clip(travelled / 0.02, 0, 1)
    return points + radius[..., None] * (
        np.cos(angle)[..., None] * first + np.sin(angle)[..., None] * second
    )


@dataclass(frozen=True)
class Pool:
    """Random points on the template's skin.

    corners [P, 3]: vertices; weights [P, 3]: barycentric; unrolled [P, 2] (see `skin.unroll`).
    """

    corners: NDArray
    weights: NDArray
    unrolled: NDArray

    def on(self, rest: NDArray, normals: NDArray, chosen: NDArray) -> tuple[NDArray, NDArray]:
        """Positions and normals [S, 3] of chosen points [S] on a person's vertices [V, 3]."""
        corners, weights = self.corners[chosen], self.weights[chosen][..., None]
        return (rest[corners] * weights).sum(1), unit((normals[corners] * weights).sum(1))


def make_pool(
    body: Body, low: float, keep: Callable[[NDArray], NDArray], count: int, seed: int
) -> Pool:
    """Sample points uniformly on the skin above height `low` where keep(unrolled) is true."""
    rng = np.random.default_rng(seed)
    solid = body.faces[body.part == 0]
    bare = (body.paint_ears[solid].max(1) < 0.4) & (body.paint_mouth[solid].max(1) < 0.3)
    solid = solid[bare & (body.vertices[solid][:, :, 2].min(1) > low)]
    solid = solid[keep(skin.unroll(body.vertices[solid].mean(1)))]
    a, b, c = (body.vertices[solid[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=-1)
    chosen = rng.choice(len(solid), size=count, p=area / area.sum())
    weights = rng.dirichlet([1, 1, 1], size=count)
    corners = solid[chosen]
    place = (body.vertices[corners] * weights[..., None]).sum(1)
    return Pool(corners, weights, skin.unroll(place))


@dataclass(frozen=True)
class Follicles:
    """The pools that `grow_hair` samples from; made once per process."""

    head: Pool
    brows: Pool
    marks: NDArray  # the template's landmarks, unrolled [68, 2]
    lids: NDArray  # vertices of the 68 landmarks


def make_follicles(body: Body, landmark_vertices: NDArray) -> Follicles:
    marks = skin.unroll(body.vertices[landmark_vertices])
    low, high = skin.BROW[:, 1].min() - 0.012, skin.BROW[:, 1].max() + 0.012

    def brow(place: NDArray) -> NDArray:
        side = np.abs(place[:, 0]) < 0.085
        return side & (place[:, 1] > low) & (place[:, 1] < high)

    return Follicles(
        head=make_pool(body, -0.13, lambda place: np.ones(len(place), bool), POOL, 1),
        brows=make_pool(body, -0.13, brow, 6000, 2),
        marks=marks,
        lids=landmark_vertices,
    )


def pick(rng: Generator, weight: NDArray, count: int) -> NDArray:
    """Sample up to `count` different indices with probabilities proportional to `weight`."""
    allowed = np.flatnonzero(weight > 0)
    if len(allowed) == 0:
        return allowed
    share = weight[allowed] / weight[allowed].sum()
    return rng.choice(allowed, size=min(count, len(allowed)), replace=False, p=share)
