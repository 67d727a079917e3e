"""Create the bundled motions: landmarks of an average sitter, without images.

python makers/motions.py src/headmime/assets/motions
"""

import sys
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from headmime.landmarks.crop import crop_box
from headmime.sitters.body import Body, bone_transforms, load_body, skin_vertices
from headmime.sitters.motion import (
    FPS,
    Motion,
    blink,
    bone_turns,
    make_motion,
    smooth_noise,
    speech,
)
from headmime.sitters.points import LANDMARK_VERTICES, jaw_chains, limit_blinks, locate_landmarks
from headmime.sitters.studio import look_at

AVERAGE = {"age": 0.67, "gender": 0.5, "african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3}

Kind = Literal["talk", "turn", "listen-and-smile"]
DESCRIPTIONS = {
    "talk": "five seconds of speaking, with small movements of the head and two blinks; loops",
    "turn": "four seconds: the head turns to one side, to the other and back, with blinks; loops",
    "listen-and-smile": "six seconds: nods, a tilt, a smile that comes and goes, blinks; loops",
}
SEEDS = {"talk": 15, "turn": 1, "listen-and-smile": 4}


def motion_template(seed: int, kind: Kind) -> NDArray:
    """Landmarks [T, 68, 2] (crop coordinates, 25 a second) of an average sitter, from the front.

    The first frame is the neutral face, and the last one returns to it.
    """
    body = load_body()
    names = [str(name) for name in body.action_names]
    rng = np.random.default_rng(seed)
    if kind == "turn":
        motion = _turn(names)
    else:
        motion = _talk(rng, names) if kind == "talk" else _listen(rng, names)
    pixels = _points(body, motion)
    return crop_box(pixels).to_crop(pixels)


def _fade(frames: int, seconds: float) -> NDArray:
    """0 at the first frame and one past the last one, 1 in between, with smooth ramps."""
    time = np.arange(frames) / FPS
    ramp = np.clip(np.minimum(time, frames / FPS - time) / seconds, 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _talk(rng: Generator, names: list[str]) -> Motion:
    frames = int(5 * FPS)
    column = {name: k for k, name in enumerate(names)}
    calm = _fade(frames, 0.35)
    actions = speech(rng, names, frames, 1.1, silence=0.35) * calm[:, None]
    raised = np.clip(0.35 * smooth_noise(rng, frames, 0.6), 0, 0.8) * calm
    for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
        actions[:, column[name]] += raised
    lids = blink(frames, 1.4) + blink(frames, 3.6)
    for side in ("Left", "Right"):
        actions[:, column[f"eyeBlink{side}"]] = lids
    wander = np.stack([smooth_noise(rng, frames, seconds) for seconds in (0.9, 1.5, 1.3)], -1)
    turns = wander * (0.045, 0.08, 0.03) * _fade(frames, 0.8)[:, None]
    return make_motion(np.clip(actions, 0, 1), turns)


def _turn(names: list[str]) -> Motion:
    frames = int(4 * FPS)
    column = {name: k for k, name in enumerate(names)}
    phase = 2 * np.pi * np.arange(frames) / frames
    # sine with plateaus at both ends
    turn = 0.55 * np.tanh(np.sin(phase)) / np.tanh(1.0) * _fade(frames, 0.6)
    nod = 0.03 * (1 - np.cos(2 * phase)) / 2
    tilt = -0.05 * turn
    actions = np.zeros((frames, len(names)))
    lids = blink(frames, 1.95) + blink(frames, 0.4)
    # the eyes lead the head and stop with it
    ahead = 1.2 * (np.roll(turn, -3) - turn)
    for side, outwards in (("Left", 1.0), ("Right", -1.0)):
        actions[:, column[f"eyeBlink{side}"]] = lids
        actions[:, column[f"eyeLookOut{side}"]] = np.maximum(outwards * ahead, 0)
        actions[:, column[f"eyeLookIn{side}"]] = np.maximum(-outwards * ahead, 0)
    return make_motion(np.clip(actions, 0, 1), np.stack([nod, turn, tilt], -1))


def _listen(rng: Generator, names: list[str]) -> Motion:
    frames = int(6 * FPS)
    column = {name: k for k, name in enumerate(names)}
    time = np.arange(frames) / FPS

    def hump(start: float, end: float, ramp: float) -> NDArray:
        """0 before `start` and after `end`, 1 in between, with smooth ramps."""
        part = np.clip(np.minimum(time - start, end - time) / ramp, 0, 1)
        return part * part * (3 - 2 * part)

    smile = hump(2.4, 5.9, 0.9)
    actions = np.zeros((frames, len(names)))
    for side in ("Left", "Right"):
        actions[:, column[f"mouthSmile{side}"]] = 0.8 * smile
        actions[:, column[f"cheekSquint{side}"]] = 0.5 * smile
        actions[:, column[f"mouthUpperUp{side}"]] = 0.35 * smile
        actions[:, column[f"browOuterUp{side}"]] = 0.4 * hump(0.5, 2.2, 0.4)
        actions[:, column[f"eyeBlink{side}"]] = blink(frames, 0.9) + blink(frames, 3.4)
    actions[:, column["browInnerUp"]] = 0.4 * hump(0.5, 2.2, 0.4)
    nod = 0.09 * hump(1.1, 2.3, 0.3) * np.sin(2 * np.pi * (time - 1.1) / 0.6)
    nod += 0.06 * hump(4.0, 5.0, 0.3) * np.sin(2 * np.pi * (time - 4.0) / 0.5)
    wander = np.stack([smooth_noise(rng, frames, 1.5) for _ in range(3)], -1) * (0.015, 0.035, 0.02)
    turns = wander * _fade(frames, 0.8)[:, None]
    turns[:, 0] += nod
    turns[:, 2] += 0.12 * hump(2.0, 5.6, 1.0)
    return make_motion(np.clip(actions, 0, 1), turns)


def _points(body: Body, motion: Motion) -> NDArray:
    """The 68 points [T, 68, 2] in the image units of a camera in front of an average person."""
    landmarks = body.vertex(LANDMARK_VERTICES)
    chains = jaw_chains(body, landmarks)
    rest, bones = body.person(AVERAGE, {})
    camera = look_at(np.array([0.0, -0.03, 0.02]), 1.3, 0.0, 0.0, 0.0)
    rotations, translations = bone_transforms(bones, bone_turns(motion.turns))
    frames = []
    actions = limit_blinks(body, landmarks, rest, motion.actions)
    for t, expressed in enumerate(body.express(rest, actions)):
        mesh = skin_vertices(expressed, body.weights, rotations[t], translations[t])
        frames.append(locate_landmarks(camera.project(mesh)[:, :2], landmarks, chains))
    return np.stack(frames)


def write_template(folder: Path, kind: Kind) -> Path:
    """Write FOLDER/<kind>.npz: landmarks, fps, neutral (the calmest frame), description."""
    path = folder / f"{kind}.npz"
    np.savez_compressed(
        path,
        landmarks=motion_template(SEEDS[kind], kind).astype(np.float32),
        fps=np.float64(FPS),
        neutral=np.int64(0),
        description=np.array(DESCRIPTIONS[kind]),
    )
    return path


if __name__ == "__main__":
    for name in DESCRIPTIONS:
        print(write_template(Path(sys.argv[1]), name))
