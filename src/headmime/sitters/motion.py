"""Random motion of sitters: speech, expressions, blinks, gaze and head pose over time."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FPS = 25.0

VISEMES = {
    # mouth shapes of groups of sounds, in anny's facial actions
    "rest": {},
    "a": {"jawOpen": 0.55, "mouthLowerDown": 0.35, "mouthUpperUp": 0.3},
    "e": {"jawOpen": 0.28, "mouthStretch": 0.45, "mouthLowerDown": 0.3, "mouthUpperUp": 0.4},
    "i": {"jawOpen": 0.12, "mouthStretch": 0.5, "mouthSmile": 0.3, "mouthLowerDown": 0.35},
    "o": {"jawOpen": 0.35, "mouthFunnel": 0.65, "mouthPucker": 0.2},
    "u": {"jawOpen": 0.12, "mouthPucker": 0.75, "mouthFunnel": 0.3},
    "m": {"mouthPress": 0.5, "mouthRollLower": 0.25, "mouthRollUpper": 0.2},
    "f": {"jawOpen": 0.06, "mouthRollLower": 0.55, "mouthUpperUp": 0.35},
    "l": {"jawOpen": 0.25, "mouthLowerDown": 0.35, "mouthUpperUp": 0.25},
    "s": {"jawOpen": 0.08, "mouthStretch": 0.3, "mouthLowerDown": 0.45, "mouthUpperUp": 0.3},
}
EXPRESSIONS = {
    # at full strength
    "grin": {"mouthSmile": 0.95, "mouthUpperUp": 0.5, "mouthStretch": 0.35, "cheekSquint": 0.6},
    "laugh": {"mouthSmile": 0.9, "mouthUpperUp": 0.6, "jawOpen": 0.4, "eyeSquint": 0.6},
    "surprise": {"jawOpen": 0.7, "browInnerUp": 0.9, "browOuterUp": 0.8, "eyeWide": 0.6},
    "anger": {"browDown": 0.8, "noseSneer": 0.6, "mouthUpperUp": 0.5, "mouthPress": 0.3},
    "pain": {"browDown": 0.6, "eyeSquint": 0.9, "mouthStretch": 0.6, "noseSneer": 0.5},
    "grief": {"browInnerUp": 0.9, "mouthFrown": 0.6, "mouthShrugLower": 0.5, "eyeSquint": 0.3},
    "doubt": {"mouthPress": 0.6, "mouthDimple": 0.6, "browDown": 0.4, "mouthFrown": 0.4},
    "kiss": {"mouthPucker": 0.9, "mouthFunnel": 0.25, "eyeSquint": 0.2},
}
SHARES = [0.30, 0.14, 0.12, 0.10, 0.08, 0.08, 0.10, 0.08]
LAG = 0.3
"""Time constant with which the ends of long hair follow the head, seconds."""

SIDED = {"mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthSmile", "mouthPress"}


class Motion(NamedTuple):
    """actions [T, 52] in 0..1; turns [T, 3] radians: nod (down +), turn (to the sitter's left +),
    tilt (to the sitter's left shoulder +) of the head relative to the shoulders. trail [T, 3]: the
    same angles for the ends of long hair. lean [T, 3]: translation of the whole sitter, metres."""

    actions: NDArray
    turns: NDArray
    trail: NDArray
    lean: NDArray

    def every(self, step: int) -> "Motion":
        """Every step-th frame."""
        return Motion(*(track[::step] for track in self))


def make_motion(actions: NDArray, turns: NDArray, lean: NDArray | None = None) -> Motion:
    """A motion at 25 frames/s with hair that lags behind the turns; `lean` defaults to 0."""
    decay = np.exp(-1 / (LAG * FPS))
    trail = np.array(turns, float)
    for t in range(1, len(trail)):
        trail[t] = decay * trail[t - 1] + (1 - decay) * turns[t]
    trail = turns + np.clip(trail - turns, -0.2, 0.2)  # a larger lag would put hair into the face
    return Motion(actions, turns, trail, np.zeros_like(trail) if lean is None else lean)


def smooth_noise(rng: Generator, frames: int, seconds: float) -> NDArray:
    """Smooth noise [frames] with variance 1 and a time scale of about `seconds`."""
    sigma = seconds * FPS / 2.5
    reach = int(4 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    return np.convolve(rng.normal(size=frames + 2 * reach), kernel, "valid")


def blink(frames: int, at: float) -> NDArray:
    """Lid closure [frames] of a blink, 1 (closed) at `at` seconds, closing faster than opening."""
    after = np.arange(frames) - at * FPS
    return np.exp(-((after / np.where(after < 0, 1.6, 3.0)) ** 2))


def blinks(rng: Generator, frames: int, period: float) -> NDArray:
    """Lid closure [frames], 1 closed, with about one blink every `period` seconds."""
    lids = np.zeros(frames)
    at = rng.uniform(0, period)
    while at * FPS < frames:
        lids = np.maximum(lids, blink(frames, at))
        at += period * rng.uniform(0.4, 1.6)
    return lids


def speech(
    rng: Generator, names: list[str], frames: int, strength: float, silence: float = 1.2
) -> NDArray:
    """Mouth actions of speech with pauses of up to `silence` seconds, [frames, 52]."""
    column = {name: k for k, name in enumerate(names)}
    targets = np.zeros((frames, len(names)))
    at = 0.0
    talking = rng.random() < 0.8
    until = rng.uniform(0.5, 3) * FPS
    while at < frames:
        if at > until:
            talking = not talking
            until = (
                at + (rng.uniform(1.0, 4.0) if talking else rng.uniform(0.25, 1.0) * silence) * FPS
            )
        sound = str(rng.choice(list(VISEMES)[1:])) if talking else "rest"
        length = rng.uniform(0.09, 0.22) * FPS
        loud = strength * rng.uniform(0.55, 1.3)
        for name, value in VISEMES[sound].items():
            for side in ("Left", "Right") if name in SIDED else ("",):
                targets[int(at) : int(at + length) + 1, column[name + side]] = value * loud
        at += length
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 1.5) ** 2)
    kernel /= kernel.sum()
    return np.stack([np.convolve(np.pad(t, 6, "edge"), kernel, "valid") for t in targets.T], -1)


def random_motion(rng: Generator, names: list[str], frames: int) -> Motion:
    """Motion of a talking head at 25 frames/s, with random mood and range of poses per clip."""
    column = {name: k for k, name in enumerate(names)}
    actions = speech(rng, names, frames, rng.uniform(0.6, 1.3))

    def add(name: str, track: NDArray, side: float = 0.0) -> None:
        """Add to an action, or to both sides of it, times 1 + side (left) and 1 - side (right)."""
        if name in column:
            actions[:, column[name]] += track
        else:
            actions[:, column[name + "Left"]] += track * (1 + side)
            actions[:, column[name + "Right"]] += track * (1 - side)

    mood = rng.normal()
    smile = np.clip(0.22 * smooth_noise(rng, frames, 1.5) + 0.25 * mood + 0.06, 0, 1)
    add("mouthSmile", smile, np.clip(rng.normal() * 0.2, -0.6, 0.6))
    add("cheekSquint", 0.6 * smile)
    add("mouthFrown", np.clip(0.15 * smooth_noise(rng, frames, 1.5) - 0.15 * mood - 0.08, 0, 0.5))
    raised = np.clip(0.35 * smooth_noise(rng, frames, 0.7) + 0.14 + rng.normal() * 0.15, 0, 1)
    add("browInnerUp", 0.16 + 0.7 * raised)
    add("browOuterUp", 0.8 * raised, rng.normal() * 0.25)
    lowered = np.clip(0.25 * smooth_noise(rng, frames, 0.8) - 0.3 + rng.normal() * 0.12, 0, 0.8)
    add("browDown", lowered * (raised < 0.15))
    squint = np.clip(0.15 * smooth_noise(rng, frames, 1.2) + rng.normal() * 0.12, 0, 0.6)
    add("eyeSquint", squint)
    add("eyeWide", np.clip(0.2 * raised - 0.05, 0, 0.4))
    if rng.random() < 0.3:
        add("noseSneer", np.clip(0.2 * smooth_noise(rng, frames, 0.8) - 0.1, 0, 0.5))
    if rng.random() < 0.3:
        add("cheekPuff", np.clip(0.25 * smooth_noise(rng, frames, 0.6) - 0.25, 0, 0.6))
    for _ in range(rng.choice(3, p=[0.35, 0.45, 0.2])):
        expression = rng.choice(list(EXPRESSIONS), p=SHARES)
        strength = np.clip(0.6 * smooth_noise(rng, frames, 1.1) + rng.uniform(-0.2, 0.4), 0, 1)
        side = np.clip(rng.normal() * 0.25, -0.7, 0.7)
        for name, value in EXPRESSIONS[str(expression)].items():
            add(name, strength * value * rng.uniform(0.6, 1.15), side)
    shift = np.clip(0.2 * smooth_noise(rng, frames, 0.8), -0.5, 0.5)
    add("mouthLeft", np.maximum(shift, 0))
    add("mouthRight", np.maximum(-shift, 0))

    # Blinks are short: add longer closures, so that shut lids are frequent enough.
    (apart,) = rng.spawn(1)
    dozing = np.clip(0.5 * smooth_noise(apart, frames, 0.8) + 0.2 * apart.normal() - 0.3, 0, 1)
    lids = np.maximum(blinks(rng, frames, rng.uniform(1.5, 4)), dozing)
    nod_scale, turn_scale, tilt_scale = rng.uniform((0.3, 0.25, 0.2), 1.0)
    if rng.random() < 0.3:
        turn_scale = rng.uniform(1.0, 1.7)
    turn = 0.30 * turn_scale * smooth_noise(rng, frames, 1.6) + rng.normal() * 0.22
    turn = 0.75 * np.tanh(turn / 0.75)  # at most 43 degrees
    nod = 0.13 * nod_scale * smooth_noise(rng, frames, 1.2) + rng.normal() * 0.08 - 0.05
    nod = nod + 0.03 * smooth_noise(rng, frames, 0.35) * nod_scale
    if rng.random() < 0.25:
        tilt_scale *= 2.1
    tilt = 0.11 * tilt_scale * smooth_noise(rng, frames, 1.4) + rng.normal() * 0.07
    turns = np.stack([np.clip(nod, -0.42, 0.42), turn, np.clip(tilt, -0.45, 0.45)], -1)
    lean = np.stack([smooth_noise(rng, frames, seconds) for seconds in (1.8, 1.8, 1.5)], -1)
    lean = lean * rng.uniform(0, 1, 3) * (0.018, 0.045, 0.008)

    # Saccades, plus compensation of the head's turn (gaze at the camera)
    follow = rng.uniform(0.1, 0.7)
    jumps = _saccades(rng, frames)
    across = np.clip(-follow * turn / 0.6 + jumps[:, 0], -0.9, 0.9)
    up = np.clip(0.4 * follow * nod / 0.35 + 0.6 * jumps[:, 1], -0.7, 0.7)
    for side, outwards in (("Left", 1.0), ("Right", -1.0)):
        add("eyeLookOut" + side, np.maximum(outwards * across, 0))
        add("eyeLookIn" + side, np.maximum(-outwards * across, 0))
        add("eyeLookUp" + side, np.maximum(up, 0))
        add("eyeLookDown" + side, np.maximum(-up, 0))
        add("eyeBlink" + side, np.maximum(lids, 0.25 * np.maximum(-up, 0)))
    closed = actions[:, [column["eyeBlinkLeft"]]]
    for name in ("eyeWideLeft", "eyeWideRight", "eyeSquintLeft", "eyeSquintRight"):
        actions[:, [column[name]]] *= 1 - np.clip(closed, 0, 1)
    return make_motion(np.clip(actions, 0, 1), turns, np.clip(lean, -0.09, 0.09))


def _saccades(rng: Generator, frames: int) -> NDArray:
    gaze = np.zeros((frames, 2))
    at, here = 0, rng.normal(size=2) * (0.12, 0.08)
    while at < frames:
        stay = int(rng.uniform(0.3, 2.0) * FPS) + 1
        gaze[at : at + stay] = here
        at += stay
        here = rng.normal(size=2) * (0.25, 0.18) if rng.random() < 0.6 else here * 0.3
    kernel = np.array([0.25, 0.5, 0.25])
    return np.stack([np.convolve(np.pad(t, 1, "edge"), kernel, "valid") for t in gaze.T], -1)


def bone_turns(turns: NDArray) -> NDArray:
    """Distribute head poses [T, 3] over neck01, neck02, neck03 and head: rotations [T, 4, 3, 3]."""
    shares = np.array([[0.10], [0.15], [0.25], [0.50]])
    turn_nod_tilt = (turns[:, None] * shares)[..., [1, 0, 2]]  # about z, x and y
    rotations = Rotation.from_euler("ZXY", turn_nod_tilt.reshape(-1, 3))
    return rotations.as_matrix().reshape(-1, 4, 3, 3)
