"""Find which vertices of the body model are the 68 iBUG points, by asking dlib.

Renders plain neutral and speaking heads of very different people from the front, runs dlib's
predictor on them and takes for each point the (mirror-symmetric) vertex that lies nearest on
average. Prints the table that stands in headmime/data/sitters/points.py. Takes a minute.

    python tools/landmark_vertices.py [picture.png]
"""

import sys

import cv2
import dlib
import face_recognition_models
import numpy as np
import warp as wp

from headmime.data.sitters.body import load_body
from headmime.data.sitters.camera import look_at, to_samples
from headmime.data.sitters.extract import vertex_normals
from headmime.data.sitters.raster import draw
from headmime.landmarks.crop import Crop

SIZE = 512
# Pairs of iBUG points that swap when a face is mirrored.
MIRROR = [
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
]


def main(picture: str | None) -> None:
    body = load_body()
    face_detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
    faces = wp.array(body.faces, dtype=wp.vec3i, device="cpu")
    cut = wp.ones(len(body.vertices), dtype=float, device="cpu")
    names = list(body.action_names)
    speaking = np.zeros(len(names), np.float32)
    speaking[names.index("jawOpen")] = 0.35
    skin = np.zeros(len(body.vertices), bool)
    skin[body.faces[body.part == 0]] = True
    mirror = np.array(
        [
            np.argmin(((body.vertices * (-1, 1, 1) - v) ** 2).sum(1) + 9 * ~skin)
            for v in body.vertices
        ]
    )
    eyes = [np.unique(body.faces[body.part == k]) for k in (1, 2)]

    rng = np.random.default_rng(0)
    cost = np.zeros((68, len(body.vertices)))
    shown = []
    for trial in range(60):
        race = rng.dirichlet([0.5, 0.5, 0.5])
        phenotype = dict(zip(("african", "asian", "caucasian"), race, strict=True))
        phenotype |= {"age": rng.uniform(0.6, 0.9), "gender": rng.uniform(0.05, 0.95)}
        rest, _ = body.person(phenotype, {})
        vertices = body.express(rest, (speaking * (trial % 2))[None])[0]
        camera = look_at(np.array([0, -0.05, 0.02]), 1.2, rng.normal() * 0.05, 0, 0)
        projected = to_samples(camera.project(vertices), Crop(-260, -260, 520), SIZE)
        canvas = draw(projected, cut, faces, SIZE, SIZE)
        found, inside = canvas.face.numpy(), canvas.inside.numpy()
        weights = np.stack([inside[:, 0], inside[:, 1], 1 - inside.sum(1)], -1)[..., None]
        corners = body.faces[found]
        normals = vertex_normals(vertices, body.faces)
        light = np.array([0.3, -0.8, 0.5])
        shade = 0.3 + 0.7 * np.clip((normals[corners] * weights).sum(1) @ light, 0, 1)
        shade *= (body.openness[corners][..., None] * weights).sum(1)[:, 0]
        colour = np.array([225, 185, 160]) * shade[:, None]
        lips = (body.paint_lips[corners][..., None] * weights).sum(1)
        colour = colour * (1 - 0.5 * lips) + 0.5 * lips * np.array([150, 70, 70]) * shade[:, None]
        part = body.part[found]
        place = (body.vertices[corners] * weights).sum(1)
        for k, ids in enumerate(eyes, start=1):
            middle = body.vertices[ids].mean(0)
            away = np.linalg.norm((place - middle)[:, [0, 2]], axis=1)
            colour = np.where((part == k)[:, None], 230, colour)
            colour = np.where(((part == k) & (away < 0.0062))[:, None], (60, 40, 25), colour)
        colour = np.where((part >= 6)[:, None], 40, colour)
        colour = np.where(((part == 3) | (part == 4))[:, None], 225, colour)
        colour = np.where((found < 0)[:, None], (90, 110, 130), colour)
        image = np.ascontiguousarray(
            np.clip(colour, 0, 255).reshape(SIZE, SIZE, 3).astype(np.uint8)
        )
        boxes = face_detector(image, 0)
        if not boxes:
            continue
        points = np.array([(p.x + 0.5, p.y + 0.5) for p in predictor(image, boxes[0]).parts()])
        visible = np.zeros(len(body.vertices), bool)
        visible[corners[(found >= 0) & (part == 0)]] = True
        squared = ((projected[None, :, :2] - points[:, None]) ** 2).sum(-1)
        cost += np.where(visible, squared, 60.0**2)
        for x, y in points.astype(int):
            cv2.circle(image, (x, y), 2, (255, 0, 0), -1)
        shown.append((image, projected))
    cost /= len(shown)
    cost = cost + cost[MIRROR][:, mirror]
    cost[:, mirror[mirror] != np.arange(len(mirror))] += 1e6  # only vertices with a twin
    own_twin = mirror == np.arange(len(mirror))
    chosen = np.zeros(68, int)
    for point, twin in enumerate(MIRROR):
        if point == twin:
            chosen[point] = np.argmin(np.where(own_twin, cost[point], 1e9))
        elif point < twin:
            chosen[point] = np.argmin(cost[point])
            chosen[twin] = mirror[chosen[point]]
    print(f"{len(shown)} faces, mean distance", np.sqrt(cost[np.arange(68), chosen] / 2).mean())
    print(np.array2string(body.source[chosen], separator=", ", max_line_width=96))
    if picture:
        for image, projected in shown[:6]:
            for x, y in projected[chosen, :2].astype(int):
                cv2.circle(image, (x, y), 2, (0, 255, 0), -1)
        sheet = np.hstack([image for image, _ in shown[:6]])
        cv2.imwrite(picture, sheet[..., ::-1])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
