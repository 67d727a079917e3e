"""dlib finds faces in images small and large, painted and filmed; errors are sentences."""

import cv2
import numpy as np
import pytest

from headmime.assets import ASSETS
from headmime.data.image_reader import read_image
from headmime.errors import HeadmimeError
from headmime.landmarks import points
from headmime.landmarks.detect import load_detector
from headmime.landmarks.faces import Detector, Face, largest
from headmime.landmarks.points import face_size, interocular


@pytest.fixture(scope="module")
def dlib_detector() -> Detector:
    return load_detector("dlib")


@pytest.fixture(scope="module")
def mona_lisa() -> np.ndarray:
    (file,) = (ASSETS / "images").glob("*.jpg")
    return read_image(file)


@pytest.fixture(scope="module")
def her_face(dlib_detector: Detector, mona_lisa: np.ndarray) -> Face:
    ((face,),) = dlib_detector.detect([mona_lisa])
    return face


def scaled(image: np.ndarray, scale: float) -> np.ndarray:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of points, of the distance between the eyes."""
    return float(np.linalg.norm(one - other, axis=-1).mean() / interocular(other))


def test_a_painted_face_is_where_it_should_be(her_face: Face, mona_lisa: np.ndarray):
    pixels = her_face.pixels
    assert pixels.shape == (68, 2) and pixels.dtype == np.float32
    right, left = pixels[points.EYE_R].mean(0), pixels[points.EYE_L].mean(0)
    mouth, chin = pixels[points.LIPS_INNER].mean(0), pixels[points.CHIN]
    assert right[0] < pixels[points.NOSE_TIP, 0] < left[0]
    assert right[1] < pixels[points.NOSE_TIP, 1] < mouth[1] < chin[1]
    x0, y0, x1, y1 = her_face.box
    assert x0 < mouth[0] < x1 and y0 < mouth[1] < y1
    assert (pixels > 0).all() and (pixels < mona_lisa.shape[1::-1]).all()


@pytest.mark.parametrize("width", [50, 100, 1000, 2000])
def test_faces_of_50_pixels_and_of_12_megapixels(
    dlib_detector: Detector, mona_lisa: np.ndarray, her_face: Face, width: float
):
    """The same face in another size has the same points."""
    scale = width / float(face_size(her_face.pixels))
    (faces,) = dlib_detector.detect([scaled(mona_lisa, scale)])
    assert difference(largest(faces).pixels / scale, her_face.pixels) < 0.03


def test_points_move_with_the_image_to_a_fraction_of_a_pixel(
    dlib_detector: Detector, mona_lisa: np.ndarray, her_face: Face
):
    moved = np.roll(mona_lisa, (3, 5), (0, 1))
    ((face,),) = dlib_detector.detect([moved])
    shift = np.median(face.pixels - her_face.pixels, 0)
    np.testing.assert_allclose(shift, (5, 3), atol=0.01 * face_size(her_face.pixels))


def test_a_face_near_the_border(dlib_detector: Detector, mona_lisa: np.ndarray, her_face: Face):
    x0, y0, x1, y1 = (round(value) for value in her_face.box)
    tight = np.ascontiguousarray(mona_lisa[y0 - 8 : y1 + 8, x0 - 8 : x1 + 8])
    (faces,) = dlib_detector.detect([tight])
    found = largest(faces).pixels + np.array([x0 - 8, y0 - 8])
    assert difference(found, her_face.pixels) < 0.08


def test_a_tilted_face_is_found(dlib_detector: Detector, mona_lisa: np.ndarray, her_face: Face):
    """What HOG misses, MMOD finds, and the points come out as on HOG's boxes."""
    height, width = mona_lisa.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 35, 1)
    tilted = cv2.warpAffine(mona_lisa, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    (faces,) = dlib_detector.detect([tilted])
    expected = her_face.pixels @ turn[:, :2].T + turn[:, 2]
    assert difference(largest(faces).pixels, expected) < 0.15


def test_two_people(dlib_detector: Detector, mona_lisa: np.ndarray):
    twins = np.concatenate([mona_lisa, mona_lisa[:, ::-1]], 1)
    (faces,) = dlib_detector.detect([twins])
    assert len(faces) == 2
    assert largest(faces) in faces


def test_no_face_is_no_error(dlib_detector: Detector):
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    grey = np.full((90, 60, 3), 128, np.uint8)
    assert dlib_detector.detect([noise, grey]) == [[], []]
    assert dlib_detector.detect([]) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 3000), (3000, 1), (7, 50)])
def test_images_too_small_for_a_face(dlib_detector: Detector, shape: tuple[int, int]):
    assert dlib_detector.detect([np.full((*shape, 3), 128, np.uint8)]) == [[]]


def test_following_agrees_with_finding(
    dlib_detector: Detector, mona_lisa: np.ndarray, her_face: Face
):
    moved = np.roll(mona_lisa, (10, -10), (0, 1))
    followed = dlib_detector.follow(moved, her_face)
    assert difference(followed.pixels - (-10, 10), her_face.pixels) < 0.03
    assert dlib_detector.follow(np.zeros_like(mona_lisa), her_face) is None
    aside = np.roll(mona_lisa, mona_lisa.shape[1] // 2, 1)
    assert dlib_detector.follow(aside, her_face) is None


def test_its_name_is_recorded(dlib_detector: Detector):
    assert dlib_detector.name == "dlib"


def test_an_unknown_detector():
    with pytest.raises(HeadmimeError, match="no detector 'mtcnn': use dlib or face-alignment"):
        load_detector("mtcnn")
