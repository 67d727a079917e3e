"""Where hair grows: places on the skin, the same for everybody."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.sitters import skin
from headmime.sitters.body import Body
from headmime.sitters.strands import unit

POOL = 40000


@dataclass(frozen=True)
class Pool:
    """Random places on the template's skin.

    corners [P, 3] vertices and weights [P, 3]; unrolled [P, 2] (see `skin.unrolled`).
    """

    corners: NDArray
    weights: NDArray
    unrolled: NDArray

    def on(self, rest: NDArray, normals: NDArray, chosen: NDArray) -> tuple[NDArray, NDArray]:
        """Chosen places [S] on a person's vertices [V, 3] and the skin's normals there, [S, 3]."""
        corners, weights = self.corners[chosen], self.weights[chosen][..., None]
        return (rest[corners] * weights).sum(1), unit((normals[corners] * weights).sum(1))


def make_pool(body: Body, low: float, keep, count: int, seed: int) -> Pool:
    """Places spread evenly over the skin above height `low`, where keep(unrolled) is true."""
    rng = np.random.default_rng(seed)
    solid = body.faces[body.part == 0]
    bare = (body.paint_ears[solid].max(1) < 0.4) & (body.paint_mouth[solid].max(1) < 0.3)
    solid = solid[bare & (body.vertices[solid][:, :, 2].min(1) > low)]
    solid = solid[keep(skin.unrolled(body.vertices[solid].mean(1)))]
    a, b, c = (body.vertices[solid[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=-1)
    chosen = rng.choice(len(solid), size=count, p=area / area.sum())
    weights = rng.dirichlet([1, 1, 1], size=count)
    corners = solid[chosen]
    place = (body.vertices[corners] * weights[..., None]).sum(1)
    return Pool(corners, weights, skin.unrolled(place))


@dataclass(frozen=True)
class Follicles:
    """The pools that `grow_hair` draws from; made once per process."""

    head: Pool
    brows: Pool
    marks: NDArray  # the template's landmarks, unrolled [68, 2]
    lids: NDArray  # vertices of the 68 landmarks


def follicles(body: Body, landmark_vertices: NDArray) -> Follicles:
    marks = skin.unrolled(body.vertices[landmark_vertices])
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
    """Up to `count` different indices, likelier where the weight is larger; never where it is 0."""
    allowed = np.flatnonzero(weight > 0)
    if len(allowed) == 0:
        return allowed
    share = weight[allowed] / weight[allowed].sum()
    return rng.choice(allowed, size=min(count, len(allowed)), replace=False, p=share)
