"""Baselines behind the models' own door: frames and landmarks of a person -> animator."""

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

from headmime.images import Animator

BORDER = np.array([(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)])


def copy_first(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """The first source frame, whatever is asked for."""
    return lambda asked: np.repeat(frames[:1], len(asked), axis=0)


def copy_nearest(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """The source frame whose landmarks are nearest to those asked for (mean distance of points)."""
    return lambda asked: frames[nearest(landmarks, asked)]


def mean_frame(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """The mean of all source frames, whatever is asked for."""
    mean = np.rint(frames.mean(0, keepdims=True, dtype=np.float64)).astype(np.uint8)
    return lambda asked: np.repeat(mean, len(asked), axis=0)


def warp_nearest(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
    """The frame of `copy_nearest`, warped so that its landmarks come to where they are asked for.

    Piecewise affine: linear in each triangle (Delaunay) of the 68 asked points and eight on the
    border, which stay where they are, and the background with them.
    """

    def animator(asked: np.ndarray) -> np.ndarray:
        chosen = nearest(landmarks, asked)
        return np.stack(
            [warp(frames[k], landmarks[k], points) for k, points in zip(chosen, asked, strict=True)]
        )

    return animator


def nearest(landmarks: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """For each of `asked` [n, 68, 2] the number of the nearest of `landmarks` [T, 68, 2]."""
    distances = np.linalg.norm(asked[:, None] - landmarks[None], axis=-1).mean(-1)
    return distances.argmin(1)


def warp(frame: np.ndarray, points: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """uint8 [S, S, 3] with landmarks [68, 2] -> the same with the landmarks `asked` [68, 2]."""
    size = len(frame)
    inside = (asked > 0).all(1) & (asked < 1).all(1)
    fixed = np.concatenate([asked[inside], BORDER])
    comes_from = np.concatenate([points[inside], BORDER])
    centres = (np.arange(size) + 0.5) / size
    grid = np.stack(np.meshgrid(centres, centres), -1)
    places = (LinearNDInterpolator(fixed, comes_from)(grid) * size - 0.5).astype(np.float32)
    return cv2.remap(
        frame, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
