"""The picture that a portrait was cut out of."""

from dataclasses import dataclass

import numpy as np

from headmime.images import resize
from headmime.landmarks.crop import Crop


@dataclass(frozen=True)
class Scene:
    """An original picture, uint8 [H, W, 3], and the crop in it that a portrait was made of."""

    picture: np.ndarray
    crop: Crop

    def within(self, crop: Crop) -> "Scene":
        """The same picture with another crop, given in coordinates (0..1) of the present one."""
        x, y = self.crop.x + crop.x * self.crop.side, self.crop.y + crop.y * self.crop.side
        return Scene(self.picture, Crop(x, y, crop.side * self.crop.side))

    def scaled(self, longest: int) -> "Scene":
        """The same with a longer side of `longest` pixels."""
        height, width = self.picture.shape[:2]
        scale = longest / max(height, width)
        if scale == 1:
            return self
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        crop = Crop(self.crop.x * scale, self.crop.y * scale, self.crop.side * scale)
        return Scene(resize(self.picture, width, height), crop)
