"""Find the vertices of the body model that match the 68 iBUG points, using dlib.

Renders sitters that have nothing in front of their faces, runs dlib's predictor on the images,
and takes for each point the mirror-symmetric vertex that lies nearest on average: on nearly frontal
faces, and for the jaw also on its near side when the head is turned (the far side is the outline of
the cheek, see `points.jaw_chains`). Prints the table that stands in
headmime/sitters/points.py. Takes two minutes.

    python makers/landmark_vertices.py [image.png]
"""

import sys
from dataclasses import replace

import cv2
import dlib
import face_recognition_models
import numpy as np

from headmime.landmarks.crop import crop_box
from headmime.landmarks.points import OTHER_SIDE, head_turn, interocular
from headmime.sitters.body import load_body
from headmime.sitters.develop import develop
from headmime.sitters.figure import make_figure, make_model, pose
from headmime.sitters.identity import random_sitter
from headmime.sitters.motion import random_motion
from headmime.sitters.render import Scene

SIZE = 384
SITTERS = 150


def main(out: str | None) -> None:
    body = load_body()
    model = make_model(body)
    detect = dlib.get_frontal_face_detector()
    predict = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
    skin = np.zeros(len(body.vertices), bool)
    skin[body.faces[body.part == 0]] = True
    flipped = body.vertices * (-1, 1, 1)
    mirror = np.array([np.argmin(((flipped - v) ** 2).sum(1) + 9 * ~skin) for v in body.vertices])

    cost, frames, shown = np.zeros((68, len(body.vertices))), np.zeros((68, 1)), []
    for number in range(SITTERS):
        rng = np.random.default_rng([68, number])
        sitter = random_sitter(rng, body.local_names)
        bare = replace(sitter.hair, style="buzz", length=0.006, beard=0.0, moustache=0.0)
        plain = replace(sitter.studio.develop, blur=0.0, noise=0.0, source=1.0, crf=0, brush=0.0)
        clear = replace(sitter.studio, camera_azimuth=0.0, camera_height=0.0, develop=plain)
        sitter = replace(
            sitter, hair=bare, studio=clear, clothes=replace(sitter.clothes, glasses="")
        )
        figure = make_figure(model, sitter, 1.0, rng)
        motion = random_motion(rng, model.actions, 4 * 20).every(20)
        turned = np.array([0.0, rng.normal() * 0.05, -0.45, 0.45])
        motion = motion._replace(turns=motion.turns * (0.4, 0.1, 0.4) + turned[:, None] * (0, 1, 0))
        scene = Scene(figure, model.eyes, SIZE)
        camera = scene.camera
        for posed in pose(model, figure, motion):
            crop = crop_box(model.locate_landmarks(camera, posed)[None])
            image = next(develop([scene.render(posed, crop)], plain, SIZE, rng))
            boxes = detect(image, 0)
            if len(boxes) != 1:
                continue
            found = [(p.x + 0.5, p.y + 0.5) for p in predict(image, boxes[0]).parts()]
            points = np.array(found)
            mesh = posed.mesh[: len(body.vertices)]
            projected = crop.to_crop(camera.project(mesh)[:, :2]) * SIZE
            facing = (posed.normals[: len(mesh)] * (camera.place - mesh)).sum(1) > 0
            distance = np.linalg.norm(projected - points[:, None], axis=-1) / interocular(points)
            turn = head_turn(points)
            used = np.full((68, 1), abs(turn) < 0.08)
            used[:8] |= turn > 0  # the right side of the face is the near one
            used[9:17] |= turn < 0
            cost += used * np.where(skin & facing, np.minimum(distance, 0.3), 0.3)
            frames += used
            shown.append((image, points, projected))
    cost /= frames
    cost = (cost + cost[OTHER_SIDE][:, mirror]) / 2
    cost[:, (mirror[mirror] != np.arange(len(mirror))) | ~skin] = 9  # only vertices with a twin
    own_twin = mirror == np.arange(len(mirror))
    chosen = np.zeros(68, int)
    for point, twin in enumerate(OTHER_SIDE):
        if point == twin:
            chosen[point] = np.argmin(np.where(own_twin, cost[point], 9))
        elif point < twin:
            chosen[point] = np.argmin(cost[point])
            chosen[twin] = mirror[chosen[point]]
    print(f"{len(shown)} faces; mean distances in interocular distances:")
    print(np.array2string(cost[np.arange(68), chosen], precision=3, max_line_width=96))
    print(np.array2string(body.source[chosen], separator=", ", max_line_width=96))
    if out:
        tiles = []
        for image, points, projected in shown[:: len(shown) // 12][:12]:
            for x, y in points.astype(int):
                cv2.circle(image, (int(x), int(y)), 1, (255, 0, 0), -1)
            for x, y in projected[chosen].astype(int):
                cv2.circle(image, (int(x), int(y)), 1, (0, 255, 0), -1)
            tiles.append(image)
        rows = [np.hstack(tiles[k : k + 4]) for k in range(0, len(tiles), 4)]
        cv2.imwrite(out, np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
