"""face-alignment, the paper's detector: networks for faces (S3FD) and landmarks (FAN).

The package is in the extra `face-alignment`; the weights are downloaded at first use.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch

from headmime.errors import HeadmimeError
from headmime.images import resize
from headmime.landmarks.faces import SAME_FACE, Face, overlap

# Longest sides of the images in which faces are searched. S3FD finds faces of 16 pixels: 1 % of the
# larger one. The copies of dlib's detector (3200, 6400) would take gigabytes.
SEARCH_SIDES = 640, 1600


class FaceAlignmentDetector:
    """The networks of the package face-alignment, on the GPU if there is one.

    s3fd, fan: weight files; None downloads them at first use. batch: batch size of images and
    faces.
    """

    name = "face-alignment"

    def __init__(self, s3fd: str | None = None, fan: str | None = None, batch: int = 8) -> None:
        try:
            from headmime.landmarks import s3fd_fan
        except ImportError as error:
            raise HeadmimeError(
                f"detector=face-alignment cannot be loaded ({error}): install it with "
                "`pip install 'headmime[face-alignment]'`, or use detector=dlib."
            ) from error
        if batch < 1:
            raise HeadmimeError(f"detector.batch={batch} should be 1 or more.")
        self.batch = batch
        self._networks = s3fd_fan
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._s3fd = s3fd_fan.load_network("s3fd", s3fd, self._device)
        self._fan = s3fd_fan.load_network("fan", fan, self._device)

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        """See `Detector.detect`."""
        boxes = self._boxes(frames)
        found = [(k, box) for k, one in enumerate(boxes) for box in one]
        faces: list[list[Face]] = [[] for _ in frames]
        for first in range(0, len(found), self.batch):
            part = found[first : first + self.batch]
            images = [(frames[k], box[:4]) for k, box in part]
            pixels, scores = self._networks.find_points(self._fan, images, self._device)
            for (k, box), points, score in zip(part, pixels, scores.mean(1), strict=True):
                faces[k].append(Face(points, float(score), tuple(box[:4].tolist())))
        return faces

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        """See `Detector.follow`."""
        (faces,) = self.detect([frame])
        moved = [one for one in faces if overlap(one.box, face.box) > SAME_FACE]
        return max(moved, key=lambda one: overlap(one.box, face.box), default=None)

    def _boxes(self, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Boxes and scores [n, 5] of every frame; frames of equal size are batched, large copies
        are searched alone and only where a small one shows no face.
        """
        boxes: list[np.ndarray] = [np.zeros((0, 5))] * len(frames)
        left, batch = list(range(len(frames))), self.batch
        for side in SEARCH_SIDES:
            order = sorted(left, key=lambda k: frames[k].shape)
            for _, same in groupby(order, key=lambda k: frames[k].shape):
                places = list(same)
                for first in range(0, len(places), batch):
                    part = places[first : first + batch]
                    small, scale = _shrink([frames[k] for k in part], side)
                    found = self._networks.find_boxes(self._s3fd, small, self._device)
                    for k, one in zip(part, found, strict=True):
                        boxes[k] = one / (scale, scale, scale, scale, 1)
            left = [k for k in left if not len(boxes[k]) and max(frames[k].shape[:2]) > 1.25 * side]
            batch = 1
        return boxes


def _shrink(frames: Sequence[np.ndarray], side: int) -> tuple[np.ndarray, float]:
    """Stack frames of one size, longer side at most `side`: [n, H, W, 3], and the scale."""
    scale = min(1.0, side / max(frames[0].shape[:2]))
    height, width = (max(1, round(length * scale)) for length in frames[0].shape[:2])
    return np.stack([resize(frame, width, height) for frame in frames]), scale
