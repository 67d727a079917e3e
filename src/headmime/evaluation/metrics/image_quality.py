"""Pixel metrics: SSIM, sharpness, colour, flicker."""

import cv2
import numpy as np

from headmime.landmarks.points import face_size
from headmime.pixels import laplacian_variance

WINDOW, SIGMA = 11, 1.5  # of SSIM
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SIDE = 128  # of the face box for sharpness
MIN_BOX = 4  # pixels
UNMOVED = 0.01
"""Mean landmark distance of two frames, in face sizes, below which the face is unmoved."""

BACKGROUND_MARGIN = 0.25
"""The background is the columns beside the face box, enlarged by this share on both sides."""


def ssim(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Structural similarity of frames, uint8 [n, S, S, 3] each -> float64 [n]; 1 for equal frames.

    Protocol: the whole crop, mean over three channels, range 255, 11x11 Gaussian window with sigma
    1.5, K = (0.01, 0.03); only windows fully inside the image. Pixels are not resized.
    """
    return np.array([_ssim(x, y) for x, y in zip(one, other, strict=True)])


def _ssim(x: np.ndarray, y: np.ndarray) -> float:
    # float64, unlike torchmetrics: accurate for dark frames, 1 ms per frame
    x, y = x.astype(np.float64), y.astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    var_x, var_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    cov = _window(x * y) - mean_x * mean_y
    structure = (2 * cov + C2) / (var_x + var_y + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return float((luminance * structure).mean())


def _window(x: np.ndarray) -> np.ndarray:
    edge = WINDOW // 2
    return cv2.GaussianBlur(x, (WINDOW, WINDOW), SIGMA)[edge:-edge, edge:-edge]


def face_sharpness(
    frames: np.ndarray, landmarks: np.ndarray, sources: np.ndarray, source_landmarks: np.ndarray
) -> float:
    """Median face sharpness of the frames, divided by the median of the person's sources.

    Protocol: frames uint8 [n, S, S, 3] with landmarks [n, 68, 2] in crop coordinates, sources at
    stored resolution; sharpness is the variance of the 4-neighbour Laplacian of the grey values in
    the upright box around the landmarks, resized to 128x128 (area average, or bilinear if
    enlarged). 1 is as sharp as the sources. Noise increases it: values above 1.2 count as failures,
    and LPIPS is reported background_change it. NaN if the sources are flat.
    """
    own, theirs = (
        np.median([_variance(*pair) for pair in zip(*one, strict=True)])
        for one in ((frames, landmarks), (sources, source_landmarks))
    )
    return float(own / theirs) if theirs > 0 else np.nan


def _variance(frame: np.ndarray, landmarks: np.ndarray) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[face_box(landmarks, len(frame))]
    way = cv2.INTER_AREA if max(grey.shape) > SIDE else cv2.INTER_LINEAR
    return laplacian_variance(cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=way))


def sharpness(frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Mean absolute 3x3 Laplacian of the grey values around the face, uint8 [n, S, S, 3] -> [n].

    Protocol: the upright box around the 68 landmarks [n, 68, 2] in crop coordinates; pixels are not
    resized, so that small models can be as sharp as large ones. Reported relative to the mean of
    the person's source frames: 1 is as sharp as these. Noise counts as sharpness.
    """
    return np.array([_edges(*pair) for pair in zip(frames, landmarks, strict=True)])


def _edges(frame: np.ndarray, landmarks: np.ndarray) -> float:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(abs(cv2.Laplacian(grey, cv2.CV_32F))[face_box(landmarks, len(frame))].mean())


def face_box(landmarks: np.ndarray, size: int, margin: float = 0.0) -> tuple[slice, slice]:
    """Rows and columns of the upright box around 68 landmarks [68, 2] in crop coordinates.

    margin: enlargement on all sides, relative to the box. Clipped to the image of `size` pixels; at
    least 4 pixels.
    """
    low, high = landmarks.min(0), landmarks.max(0)
    low, high = low - margin * (high - low), high + margin * (high - low)
    first = np.clip(np.floor(low * size), 0, size - MIN_BOX).astype(int)
    last = np.maximum(np.clip(np.ceil(high * size), 0, size).astype(int), first + MIN_BOX)
    return slice(first[1], last[1]), slice(first[0], last[0])


def colour_drift(
    frames: np.ndarray, landmarks: np.ndarray, sources: np.ndarray, source_landmarks: np.ndarray
) -> np.ndarray:
    """Distance of each frame's mean face colour from the sources', in CIELAB (Delta E 1976) -> [n].

    Protocol: frames uint8 [n, S, S, 3] with landmarks [n, 68, 2], and sources of any size; mean
    colour in the upright box around the landmarks, against its mean over all sources. About 2 is
    the just noticeable difference.
    """
    own = np.array([_mean_lab(*pair) for pair in zip(frames, landmarks, strict=True)])
    theirs = [_mean_lab(*pair) for pair in zip(sources, source_landmarks, strict=True)]
    return np.linalg.norm(own - np.mean(theirs, 0), axis=-1)


def _mean_lab(frame: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    face = frame[face_box(landmarks, len(frame))].astype(np.float32) / 255
    return cv2.cvtColor(face, cv2.COLOR_RGB2Lab).mean((0, 1))


def flicker(frames: np.ndarray, landmarks: np.ndarray) -> tuple[float, float]:
    """Mean absolute change of grey values (0..255) of the face and of the background.

    Protocol: over all pairs of frames uint8 [n, S, S, 3] of one video whose target landmarks [n,
    68, 2] are within `UNMOVED` of each other; boxes are those of the first frame of a pair. NaN
    without such a pair, or without background. Compare with the flicker of the true frames (noise,
    light, hair).
    """
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]).astype(float)
    size = frames.shape[1]
    distances = np.linalg.norm(landmarks[:, None] - landmarks[None], axis=-1).mean(-1)
    pairs = np.argwhere(np.triu(distances < UNMOVED * face_size(landmarks).mean(), 1))
    face, background = [], []
    for one, other in pairs:
        change = np.abs(grey[one] - grey[other])
        face.append(change[face_box(landmarks[one], size)].mean())
        _, columns = face_box(landmarks[one], size, BACKGROUND_MARGIN)
        background_change = np.delete(change, columns, axis=1)
        if background_change.size:
            background.append(background_change.mean())
    means = [float(np.mean(part)) if part else np.nan for part in (face, background)]
    return means[0], means[1]
