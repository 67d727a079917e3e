"""The one crop rule: sources, driving videos, sitters and training data are all framed by it."""

from dataclasses import dataclass

import cv2
import numpy as np

from headmime.landmarks.points import EYE_L, EYE_R, face_size

# All in units of the face's size (about brows to chin, see `face_size`).
SIDE = 2.25
BELOW_EYES = 0.22  # the middle of the box is this far below the eyes
ABOVE, BELOW, BESIDE = 0.55, 0.12, 0.15  # what every frame keeps around its outermost points


@dataclass(frozen=True)
class Crop:
    """An upright square of an image: its top-left corner and its side, in pixels (floats).

    (0, 0) is the top-left corner of the image's top-left pixel. The square may leave the image.
    """

    x: float
    y: float
    side: float

    def to_crop(self, pixels: np.ndarray) -> np.ndarray:
        """Image coordinates [..., 2] -> crop coordinates [..., 2] (0..1 inside the square)."""
        return ((pixels - (self.x, self.y)) / self.side).astype(np.float32)

    def to_pixels(self, landmarks: np.ndarray) -> np.ndarray:
        """Crop coordinates [..., 2] -> image coordinates [..., 2]: the inverse of `to_crop`."""
        return (landmarks * np.float64(self.side) + (self.x, self.y)).astype(np.float32)

    def cut(self, image: np.ndarray, size: int) -> np.ndarray:
        """The square, resampled: uint8 [H, W, 3] -> uint8 [size, size, 3].

        Shrinking averages over areas, enlarging is bicubic, and what lies outside of the image
        is its reflection.
        """
        fine = max(1, int(np.ceil(self.side / size)))  # samples per output pixel and direction
        step = self.side / (size * fine)
        first = 0.5 * step - 0.5  # centre of the first sample, relative to pixel centres
        matrix = np.array([[step, 0, self.x + first], [0, step, self.y + first]])
        samples = cv2.warpAffine(
            image,
            matrix,
            (size * fine, size * fine),
            flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if fine > 1 else cv2.INTER_CUBIC),
            borderMode=cv2.BORDER_REFLECT,
        )
        if fine == 1:
            return samples
        return cv2.resize(samples, (size, size), interpolation=cv2.INTER_AREA)


def crop_box(pixels: np.ndarray) -> Crop:
    """The one box for a whole clip, from its landmarks alone, float [T, 68, 2] in image pixels.

    The face from brows to chin takes about half of the side, with the hair above it and some neck
    and shoulder below. Every frame's face, and its forehead, lie inside: a head that moves a lot
    makes the box larger.
    """
    size = face_size(pixels)[:, None]
    low = (pixels.min(1) - size * (BESIDE, ABOVE)).min(0)
    high = (pixels.max(1) + size * (BESIDE, BELOW)).max(0)
    side = max(SIDE * float(np.median(size)), *(high - low).tolist())
    # As near to the usual place of the head as keeps all of its other places inside.
    eyes = (pixels[:, EYE_R, 1].mean(1) + pixels[:, EYE_L, 1].mean(1)) / 2
    across = (pixels[..., 0].min(1) + pixels[..., 0].max(1)) / 2  # not the eyes: heads turn
    middle = np.median([across, eyes + size[:, 0] * BELOW_EYES], 1)
    centre = np.clip(middle, high - side / 2, low + side / 2)
    x, y = (centre - side / 2).tolist()
    return Crop(x, y, side)
