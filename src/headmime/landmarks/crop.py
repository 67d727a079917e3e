"""The crop rule for all images: sources, driving videos, sitters and training data."""

from dataclasses import dataclass

import cv2
import numpy as np

from headmime.landmarks.points import EYE_L, EYE_R, face_size

# All in units of `face_size` (about brows to chin).
SIDE = 2.25
BELOW_EYES = 0.22  # distance of the box's centre below the eyes
ABOVE, BELOW, BESIDE = 0.55, 0.12, 0.15  # smallest margins around the landmarks of every frame


@dataclass(frozen=True)
class Crop:
    """An axis-parallel square: its top-left corner and side in pixels (floats).

    (0, 0) is the top-left corner of the image's top-left pixel. The square may exceed the image.
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
        """Crop and resample: uint8 [H, W, 3] -> uint8 [size, size, 3].

        Shrinking averages over areas, enlarging is bicubic; the border is reflected.
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
    """The crop of a whole clip from its landmarks, float [T, 68, 2] in image pixels.

    The face from brows to chin takes about half of the side, with hair above and some neck and
    shoulder below. The box contains the face and forehead of every frame, so large head motion
    enlarges it.
    """
    size = face_size(pixels)[:, None]
    low = (pixels.min(1) - size * (BESIDE, ABOVE)).min(0)
    high = (pixels.max(1) + size * (BESIDE, BELOW)).max(0)
    side = max(SIDE * float(np.median(size)), *(high - low).tolist())
    # As close to the median position of the head as possible with all positions inside.
    eyes = (pixels[:, EYE_R, 1].mean(1) + pixels[:, EYE_L, 1].mean(1)) / 2
    across = (pixels[..., 0].min(1) + pixels[..., 0].max(1)) / 2  # not of the eyes: head turns
    middle = np.median([across, eyes + size[:, 0] * BELOW_EYES], 1)
    centre = np.clip(middle, high - side / 2, low + side / 2)
    x, y = (centre - side / 2).tolist()
    return Crop(x, y, side)
