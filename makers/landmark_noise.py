"""Measure dlib's landmark errors on sitters; writes src/headmime/sitters/detector_noise.npz.

    python makers/landmark_noise.py [sitters] [another.npz]

dlib's predictor is shown where the face is, so that turned heads, which its detectors miss, count
too. About three minutes for 60 sitters on two cores. Prints the errors that it found.
"""

import multiprocessing
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from headmime.landmarks.detect_dlib import PointTrees, hog_box
from headmime.landmarks.points import BROW_L, BROW_R, JAW, POINTS, face_size, head_turn
from headmime.sitters.body import load_body
from headmime.sitters.detector import TABLE, features, to_upright_axes
from headmime.sitters.figure import SitterModel, make_model
from headmime.sitters.write import sitter_clips

SIZE, FRAMES, SEED = 176, 12, 4711
LARGEST = 0.12  # mean error in face sizes, beyond which the detection is a false positive
CLIP_DIRECTIONS, FRAME_DIRECTIONS = 24, 24


@lru_cache(maxsize=1)
def tools() -> tuple[SitterModel, PointTrees]:
    return make_model(load_body()), PointTrees()


def clip_errors(number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(exact points, upright errors over face size) of a sitter's clips, frames with a face."""
    model, trees = tools()
    found = []
    for clip in sitter_clips(model, number, FRAMES, SIZE, SEED):
        exact = np.array(clip.landmarks, float) * SIZE
        seen = [
            trees.fit(image, hog_box(points))[0]
            for image, points in zip(clip.frames, exact, strict=True)
        ]
        error = to_upright_axes(np.array(seen) - exact, exact) / face_size(exact)[:, None, None]
        good = np.linalg.norm(error, axis=-1).mean(1) < LARGEST
        if good.sum() >= 4:
            found.append((exact[good], error[good]))
    return found


def directions(samples: np.ndarray, count: int) -> np.ndarray:
    """Factor [count, 136]: normal numbers times it have (nearly) the samples' covariance."""
    _, size, rows = np.linalg.svd(samples, full_matrices=False)
    return rows[:count] * size[:count, None] / np.sqrt(len(samples))


def main(sitters: int, out: Path | str) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        clips = [clip for found in pool.imap(clip_errors, range(sitters)) for clip in found]
    x = np.concatenate([features(points) for points, _ in clips])
    y = np.concatenate([error.reshape(len(error), -1) for _, error in clips])
    ridge = 1e-3 * len(x) * np.diag([0, *x[:, 1:].var(0)])
    expected = np.linalg.solve(x.T @ x + ridge, x.T @ y)
    biases, residuals, turns = [], [], []
    for points, error in clips:
        rest = error.reshape(len(error), -1) - features(points) @ expected
        biases.append(rest.mean(0))
        residuals.append((rest - rest.mean(0)) * np.sqrt(len(rest) / (len(rest) - 1)))
        turns.append(np.abs(head_turn(points)))
    bias, rest, turn = np.array(biases), np.concatenate(residuals), np.concatenate(turns)
    size = np.sqrt((rest**2).mean(1))
    slope, start = np.polyfit(turn, size, 1)
    turned = max(0.0, slope / start)
    rest = rest / (1 + turned * turn)[:, None]
    np.savez(
        out,
        expected=expected.astype(np.float32),
        clip=directions(bias, CLIP_DIRECTIONS).astype(np.float32),
        frame=directions(rest, FRAME_DIRECTIONS).astype(np.float32),
        turned=np.float32(turned),
    )
    print(f"{len(clips)} clips, {len(rest)} frames; all numbers in % of the face's size")
    groups = {"jaw": JAW, "right brow": BROW_R, "left brow": BROW_L, "nose": slice(27, 36)}
    groups |= {"eyes": slice(36, 48), "lips": slice(48, 68)}
    for name, group in groups.items():
        mean, clip, frame = (
            100 * np.sqrt((values.reshape(-1, POINTS, 2)[:, group] ** 2).sum(-1).mean())
            for values in (x @ expected, bias, rest)
        )
        print(f"{name:10}  expected {mean:.1f}  of a clip {clip:.1f}  of a frame {frame:.1f}")
    print(f"a frame's error grows by {turned:.1f} per unit of head_turn")


if __name__ == "__main__":
    given = [*sys.argv[1:], *("60", TABLE)[len(sys.argv) - 1 :]]
    main(int(given[0]), given[1])
