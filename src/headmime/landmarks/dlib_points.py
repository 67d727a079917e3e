"""dlib's regression trees: from a box around a face to its 68 points."""

import dlib
import face_recognition_models
import numpy as np

from headmime.landmarks.crop import Crop
from headmime.landmarks.detect import Box
from headmime.landmarks.points import face_size

WIDTH = 1.8  # of the square that is looked at, in boxes
SIDE = 256  # and in pixels
# The trees jump where boxes move by a pixel; a mean over these shifts (in halves of a box) jitters
# a third less.
SHIFTS = np.array([(0, 0), (0.06, 0), (-0.06, 0), (0, 0.06), (0, -0.06)])
# Where points are smoothed over time as well, these give the same jitter for half of the time.
FEW_SHIFTS = np.array([(0, 0.07), (0.06, -0.035), (-0.06, -0.035)])


class PointTrees:
    """Fits points, whatever detector found the box: the box is then moved to where the trees, which
    were trained on HOG's boxes, expect it.
    """

    def __init__(self) -> None:
        self._trees = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())

    def fit(self, frame: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        """Points float32 [68, 2] in picture pixels, and how much they depend on the exact box.

        The latter is a standard deviation over `face_size`: about 0.01, and 0.03 where they are
        likely to be wrong.
        """
        crop = around(box)
        picture = crop.cut(frame, SIDE)
        middle, half = np.full(2, SIDE / 2), SIDE / WIDTH / 2
        middle, half = _expected(self._fit(picture, middle - half, middle + half))
        return self._mean(picture, crop, middle, half, SHIFTS)

    def fit_again(self, frame: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        """The same in less than half of the time, where `box` is that of the frame before: not
        moved.
        """
        crop = around(box)
        middle, half = np.full(2, SIDE / 2), SIDE / WIDTH / 2
        return self._mean(crop.cut(frame, SIDE), crop, middle, half, FEW_SHIFTS)

    def _mean(
        self, picture: np.ndarray, crop: Crop, middle: np.ndarray, half: float, shifts: np.ndarray
    ) -> tuple[np.ndarray, float]:
        middles = middle + half * shifts
        fits = np.stack([self._fit(picture, m - half, m + half) for m in middles])
        points = fits.mean(0)
        deviation = np.sqrt(((fits - points) ** 2).sum(-1).mean()) / face_size(points)
        return crop.to_pixels(points / SIDE), float(deviation)

    def _fit(self, picture: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        left, top, right, bottom = np.rint([*low, *high]).astype(int)
        parts = self._trees(picture, dlib.rectangle(left, top, right - 1, bottom - 1)).parts()
        return np.array([(part.x + 0.5, part.y + 0.5) for part in parts])


def box_of(points: np.ndarray) -> Box:
    """The box that HOG would give to a face with these points."""
    middle, half = _expected(points)
    return (*(middle - half).tolist(), *(middle + half).tolist())


def around(box: Box) -> Crop:
    """The square that is looked at for a face that is, or was, in `box`."""
    left, top, right, bottom = box
    side = WIDTH * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side)


def _expected(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle and half side of HOG's box for a face: means over 263 frames of real clips."""
    size = float(face_size(points))
    return points.mean(0) - (0, 0.07 * size), 0.6 * size
