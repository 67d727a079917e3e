"""Baselines with the models' interface: frames and landmarks of a person -> animator."""

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from headmime.images import Animator

BORDER = np.array([(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)])


def copy_first(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """Return the first source frame for all target landmarks."""
    return lambda target: np.repeat(frames[:1], len(target), axis=0)


def copy_nearest(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """Return the source frame with the nearest landmarks (mean point distance)."""
    return lambda target: frames[nearest(landmarks, target)]


def mean_frame(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """Return the mean of all source frames for all target landmarks."""
    mean = np.rint(frames.mean(0, keepdims=True, dtype=np.float64)).astype(np.uint8)
    return lambda target: np.repeat(mean, len(target), axis=0)


def warp_nearest(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """Warp the frame of `copy_nearest` so that its landmarks match the target landmarks.

    Piecewise affine on the Delaunay triangulation of the 68 target points and eight fixed points on
    the border, which also hold the background in place.
    """

    def animator(target: np.ndarray) -> np.ndarray:
        chosen = nearest(landmarks, target)
        return np.stack(
            [
                warp(frames[k], landmarks[k], points)
                for k, points in zip(chosen, target, strict=True)
            ]
        )

    return animator


def nearest(landmarks: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Index of the nearest of `landmarks` [T, 68, 2] for each of `target` [n, 68, 2]."""
    distances = np.linalg.norm(target[:, None] - landmarks[None], axis=-1).mean(-1)
    return distances.argmin(1)


def warp(frame: np.ndarray, points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Warp uint8 [S, S, 3] from landmarks `points` [68, 2] to `target` [68, 2]."""
    size = len(frame)
    inside = (target > 0).all(1) & (target < 1).all(1)
    fixed = np.concatenate([target[inside], BORDER])
    origins = np.concatenate([points[inside], BORDER])
    centres = (np.arange(size) + 0.5) / size
    grid = np.stack(np.meshgrid(centres, centres), -1)
    places = (LinearNDInterpolator(fixed, origins)(grid) * size - 0.5).astype(np.float32)
    return cv2.remap(
        frame, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
