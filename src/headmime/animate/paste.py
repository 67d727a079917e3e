"""Paste the animated head into the original image: soft mask, matched colour. For viewing only.

Metrics are computed on the generator's own frames; nothing in evaluation may import this.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from headmime.animate.sources import Scene
from headmime.landmarks.crop import Crop
from headmime.landmarks.points import BROW_L, BROW_R, face_size

# In units of `face_size` (about brows to chin).
FOREHEAD = 0.5  # height of the head above the brows
HAIR = 0.25  # width of the head beyond the face outline
SOFT = 0.12  # width of the mask's edge
# In units of the crop's side.
BORDER = 0.06  # width of the fade-out at the crop's edge
TONE = 0.08  # scale of the colour correction
OTHER = 90  # grey levels; larger differences are different content, not tone
MASK_SIDE = 256


def paste_frames(
    scene: Scene,
    frames: Iterable[np.ndarray],
    landmarks: np.ndarray,
    own: np.ndarray,
    rendition: np.ndarray,
) -> Iterator[np.ndarray]:
    """Yield each of `frames`, uint8 [S, S, 3], blended over the scene: uint8 [H, W, 3].

    `landmarks` [T, 68, 2] of all frames and `own` [68, 2] of the original image, in crop
    coordinates: the mask covers the head in all of these positions, so that the original head is
    never visible behind it. `rendition` uint8 [S, S, 3]: the generator's output for `own`; its
    blurred difference to the original corrects the colours.
    """
    size = len(rendition)
    left, top, right, bottom = _visible_part(scene)
    if left >= right or top >= bottom:
        raise ValueError("the crop lies outside of its image")
    mask = head_mask(np.concatenate([own[None], landmarks]))
    offset = tone_offset(scene.crop.cut(scene.image, size), rendition, mask)
    window = (left, top, right - left, bottom - top)
    alpha = np.clip(_resample_window(mask, scene.crop, window), 0, 1)
    original = scene.image[top:bottom, left:right]
    for frame in frames:
        matched = np.clip(frame + offset, 0, 255).astype(np.uint8)
        head = _resample_window(matched, scene.crop, window)
        whole = scene.image.copy()
        whole[top:bottom, left:right] = cv2.blendLinear(head, original, alpha, 1 - alpha)
        yield whole


def head_mask(landmarks: np.ndarray) -> np.ndarray:
    """Mask of heads with landmarks [n, 68, 2] (crop coordinates): float32 [256, 256] in 0..1.

    1 on face and hair, soft edges, 0 at the border of the crop.
    """
    mask = np.zeros((MASK_SIDE, MASK_SIDE), np.uint8)
    size = float(np.median(face_size(landmarks))) * MASK_SIDE
    for face in landmarks:
        cv2.fillConvexPoly(mask, cv2.convexHull(_with_forehead(face)), 1)
    reach = 2 * round(HAIR * size) + 1
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(SOFT * size / 2, 0.5))
    inwards = (np.arange(MASK_SIDE) + 0.5) / MASK_SIDE / BORDER
    edge = np.clip(np.minimum(inwards, inwards[::-1]) - 0.2, 0, 1)
    edge = edge * edge * (3 - 2 * edge)
    return soft * np.minimum.outer(edge, edge).astype(np.float32)


def tone_offset(original: np.ndarray, rendition: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the colour correction to add to every frame: float32 [S, S, 3].

    The difference of two uint8 images [S, S, 3] of the same pose, averaged over neighbourhoods
    within the head: light and complexion are matched, features are not copied. Pixels with large
    differences (hair before a bright sky) get a small weight.
    """
    size = len(original)
    difference = original.astype(np.float32) - rendition
    alike = np.exp(-np.square(difference.mean(-1) / OTHER))
    weight = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) * alike + 1e-4
    sigma = max(TONE * size, 0.5)
    total = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
    return cv2.GaussianBlur(difference * weight[..., None], (0, 0), sigma) / total


def _with_forehead(face: np.ndarray) -> np.ndarray:
    """Landmarks and estimated forehead points in mask pixels, int32 [78, 2]."""
    brows = np.concatenate([face[BROW_R], face[BROW_L]])
    up = (face[27] - face[8]) / np.linalg.norm(face[27] - face[8])  # from the chin
    crown = brows + up * FOREHEAD * face_size(face)
    points = np.concatenate([face, crown]) * MASK_SIDE
    return points.round().astype(np.int32)


def _visible_part(scene: Scene) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the part of the crop inside the image, in pixels."""
    crop, (height, width) = scene.crop, scene.image.shape[:2]
    left, top = max(0, int(crop.x)), max(0, int(crop.y))
    right = min(width, int(np.ceil(crop.x + crop.side)))
    return left, top, right, min(height, int(np.ceil(crop.y + crop.side)))


def _resample_window(
    square: np.ndarray, crop: Crop, window: tuple[int, int, int, int]
) -> np.ndarray:
    """Resample an image [n, n, ...] of the crop to the pixels of a window of the scene."""
    left, top, width, height = window
    step = len(square) / crop.side  # pixels of the square per pixel of the scene
    x, y = ((np.array([left, top]) + 0.5 - (crop.x, crop.y)) * step - 0.5).tolist()
    matrix = np.array([[step, 0, x], [0, step, y]])
    if step > 1:
        square = cv2.GaussianBlur(square, (0, 0), 0.4 * step)
    return cv2.warpAffine(
        square,
        matrix,
        (width, height),
        flags=cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
