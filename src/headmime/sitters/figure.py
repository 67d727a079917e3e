"""Triangle geometry of a sitter: skin, eyes, teeth, clothes and hair; neutral and posed."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.sitters import clothes, hair, shade, skin
from headmime.sitters.body import Body, bone_transforms, skin_vertices
from headmime.sitters.extract import vertex_normals
from headmime.sitters.identity import Sitter
from headmime.sitters.motion import Motion, bone_turns
from headmime.sitters.points import LANDMARK_VERTICES, jaw_chains, limit_blinks, locate_landmarks
from headmime.sitters.strands import Follicles, Obstacle, Strands, join, make_follicles
from headmime.sitters.studio import Camera

MATERIAL_OF_PART = np.array(
    [shade.SKIN, shade.EYE, shade.EYE, shade.TEETH, shade.TEETH, shade.TONGUE] + [shade.LASH] * 4
)
EYES, UPPER_TEETH, LOWER_TEETH = (2, 1), 3, 4  # part numbers; the right eye is 2
TEETH_MOVED = {UPPER_TEETH: (0.0, 0.0, -0.0065), LOWER_TEETH: (0.0, 0.003, -0.003)}
"""Offset to the body model, metres: upper teeth are visible in speech, and lower teeth do not
intersect the chin.
"""


@dataclass(frozen=True)
class SitterModel:
    """Data shared by all sitters, made once per process."""

    body: Body
    follicles: Follicles
    actions: list[str]  # names of the facial actions
    eyes: NDArray  # centres of the right and left eyeball in the template [2, 3]
    landmarks: NDArray  # vertices of the 68 points
    chains: NDArray  # see points.jaw_chains
    neighbours: scipy.sparse.csr_matrix  # sums triangle normals at each vertex [V, F]

    def locate_landmarks(self, camera: Camera, posed: "Pose") -> NDArray:
        """The 68 landmarks of a posed figure in image units, [68, 2]."""
        projected = camera.project(posed.mesh[: len(self.body.vertices)])[:, :2]
        return locate_landmarks(projected, self.landmarks, self.chains)


def _part_vertices(body: Body, part: int) -> NDArray:
    return np.unique(body.faces[body.part == part])


def make_model(body: Body) -> SitterModel:
    landmarks = body.vertex(LANDMARK_VERTICES)
    return SitterModel(
        body,
        make_follicles(body, landmarks),
        [str(name) for name in body.action_names],
        np.stack([body.vertices[_part_vertices(body, eye)].mean(0) for eye in EYES]),
        landmarks,
        jaw_chains(body, landmarks),
        _neighbours(body.faces, len(body.vertices)),
    )


def _neighbours(faces: NDArray, count: int) -> scipy.sparse.csr_matrix:
    rows = faces.T.reshape(-1)
    columns = np.tile(np.arange(len(faces)), 3)
    ones = np.ones(len(rows), np.float32)
    return scipy.sparse.csr_matrix((ones, (rows, columns)), shape=(count, len(faces)))


@dataclass(frozen=True)
class Figure:
    """N mesh vertices (the body's V, then the garments') and M strand points.

    rest [N, 3], weights [N, 5], template [N, 3], extra [N, 4], cut [N]; origin [N]: the body vertex
    of each; offset [N]: metres along that vertex's normal. faces index mesh vertices, then two
    vertices per strand point; casting: faces that cast shadows; hair: arrays [M, ...].
    """

    sitter: Sitter
    rest: NDArray
    bones: NDArray
    weights: NDArray
    origin: NDArray
    offset: NDArray
    template: NDArray
    faces: NDArray
    casting: NDArray
    material: NDArray
    extra: NDArray
    cut: NDArray
    hair: Strands
    albedo: NDArray


def make_figure(model: SitterModel, sitter: Sitter, detail: float, rng: Generator) -> Figure:
    """Build a sitter's geometry and skin texture. detail: see `hair.grow_hair`."""
    body = model.body
    rest, bones = body.person(sitter.phenotype, sitter.local)
    for part, moved in TEETH_MOVED.items():
        rest[_part_vertices(body, part)] += np.array(moved, np.float32)
    if sitter.clothes.headwear == "scarf":  # presses the ears to the head
        ears = body.paint_ears > 0.1
        rest[ears, 0] = np.clip(rest[ears, 0], -0.073, 0.073)
    solid = body.faces[body.part == 0]
    normals = vertex_normals(rest, solid)

    drawn = body.part < 6  # lash meshes are replaced by strands
    openness = _openness(body) * _fold_shading(rest, normals, body.faces)
    extra = [np.stack([body.paint_lips, body.paint_mouth, body.paint_ears, openness], -1)]
    faces, material = [body.faces[drawn]], [MATERIAL_OF_PART[body.part[drawn]]]
    total = len(rest)
    covered = rest.copy()
    shells = [*clothes.dress(sitter.clothes, body), *clothes.make_headwear(sitter.clothes, body)]
    for shell in shells:
        garment = np.zeros((len(shell.source), 4))
        garment[:, 0] = shell.inner
        garment[:, 3] = np.maximum(body.openness[shell.source], 0.35)
        extra.append(garment)
        faces.append(shell.faces + total)
        material.append(np.full(len(shell.faces), shade.CLOTH))
        total += len(shell.source)
        if shell.inner < 2:  # hair lies on clothes, but under headwear
            worn = shell.source[shell.cut >= 0]
            covered[worn] += normals[worn] * shell.offset[shell.cut >= 0, None]
    outside = np.flatnonzero(np.abs(normals).sum(1) > 0)
    outside = outside[(body.paint_mouth[outside] < 0.3) & (rest[outside, 2] > -0.42)]
    obstacle = Obstacle(covered[outside], normals[outside])
    grown = hair.grow_hair(sitter.hair, rest, normals, obstacle, model.follicles, detail, rng)
    grown += clothes.make_earrings(sitter.clothes, body, rest)
    grown += clothes.make_glasses(sitter.clothes, rest[model.landmarks])

    first = total
    ribbons, ribbon_material, casting = [], [], []
    for group in grown:
        count, steps = group.points.shape[:2]
        index = first + 2 * np.arange(count * steps).reshape(count, steps)
        a, b = index[:, :-1].reshape(-1), index[:, 1:].reshape(-1)
        pair = [np.stack([a, a + 1, b], -1), np.stack([a + 1, b + 1, b], -1)]
        ribbons += pair
        every = 2 if count > 500 else 1  # in dense hair every second strand casts shadows
        casts = np.repeat(np.arange(count) % every == 0, steps - 1)
        casting += [triangles[casts] for triangles in pair]
        ribbon_material.append(np.full(2 * len(a), group.material))
        first += 2 * count * steps

    joined = join(grown)
    origins = np.concatenate([np.arange(len(rest)), *(shell.source for shell in shells)])
    offsets = np.concatenate([np.zeros(len(rest)), *(shell.offset for shell in shells)])
    cut = [np.ones(len(rest)), *(shell.cut for shell in shells)]
    placed = rest[origins] + normals[origins] * offsets[:, None]
    return Figure(
        sitter=sitter,
        rest=placed.astype(np.float32),
        bones=bones,
        weights=body.weights[origins],
        origin=origins,
        offset=offsets,
        template=body.vertices[origins],
        faces=np.concatenate([*faces, *ribbons]).astype(np.int32),
        casting=np.concatenate([*faces, *casting]).astype(np.int32),
        material=np.concatenate([*material, *ribbon_material]).astype(np.int32),
        extra=np.concatenate([*extra, np.repeat(joined.extra, 2, 0)]).astype(np.float32),
        cut=np.concatenate([*cut, np.ones(first - total)]).astype(np.float32),
        hair=joined,
        albedo=skin.paint(sitter.skin, sitter.hair, model.follicles.marks, rng),
    )


def _openness(body: Body) -> NDArray:
    """Ambient visibility of each vertex [V], with eyes shaded by the upper lid."""
    openness = body.openness.copy()
    for part in range(1, 6):
        vertices = _part_vertices(body, part)
        height = body.vertices[vertices, 2]
        if part <= 2:
            openness[vertices] = 0.88 - 45 * np.clip(height - height.mean(), -0.004, 0.007)
        else:
            openness[vertices] = 0.7
    return openness


def _fold_shading(rest: NDArray, normals: NDArray, faces: NDArray) -> NDArray:
    """Factor on openness [V]: < 1 in folds of a few millimetres, slightly > 1 on ridges."""
    count = len(rest)
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    beside = scipy.sparse.csr_matrix(
        (np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape=(count, count)
    )
    degree = np.maximum(np.asarray(beside.sum(1)), 1)
    hollow = ((beside @ rest / degree - rest) * normals).sum(1)  # metres, positive in a fold
    hollow = beside @ hollow / degree[:, 0] * 0.5 + 0.5 * hollow
    return np.clip(1 - hollow / 0.0045, 0.65, 1.06)


@dataclass(frozen=True)
class Pose:
    """A figure in one frame, world coordinates: mesh and normals [N, 3], strands [M, 3]."""

    mesh: NDArray
    normals: NDArray
    hair_points: NDArray
    hair_tangents: NDArray
    hair_outward: NDArray


def pose(model: SitterModel, figure: Figure, motion: Motion) -> list[Pose]:
    """Pose a figure in every frame of a motion."""
    body = model.body
    count = len(body.vertices)
    neutral = figure.rest[:count]
    rotations, translations = bone_transforms(figure.bones, bone_turns(motion.turns))
    behind_rotations, behind = bone_transforms(figure.bones, bone_turns(motion.trail))
    grown = figure.hair
    follows = np.flatnonzero(grown.weights.sum(1) > 0)  # strand points that the expression moves
    corners, weights = grown.corners[follows], grown.weights[follows, :, None]
    swinging = np.flatnonzero(grown.swing > 0)
    swing, share = grown.swing[swinging, None], grown.share[:, None]
    poses = []
    actions = limit_blinks(body, model.landmarks, neutral, motion.actions)
    for t, expressed in enumerate(body.express(neutral, actions)):
        change = expressed - neutral
        mesh = figure.rest + change[figure.origin]
        mesh = skin_vertices(mesh, figure.weights, rotations[t], translations[t])
        a, b, c = (mesh[body.faces[:, k]] for k in range(3))
        normals = model.neighbours @ np.cross(b - a, c - a)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-12
        normals = normals[figure.origin]
        turn, shift = rotations[t, -1], translations[t, -1]
        place = grown.points.copy()
        place[follows] += (change[corners] * weights).sum(1)
        held = place @ turn.T + shift
        hanging = place[swinging] @ behind_rotations[t, -1].T + behind[t, -1]
        held[swinging] += swing * (hanging - held[swinging])
        place = place + share * (held - place) + motion.lean[t]
        poses.append(
            Pose(
                (mesh + motion.lean[t]).astype(np.float32),
                normals.astype(np.float32),
                place.astype(np.float32),
                (grown.tangents @ turn.T).astype(np.float32),
                (grown.outward @ turn.T).astype(np.float32),
            )
        )
    return poses
