"""Frames go through face-alignment's networks together, with the results of the package itself.

Its weights cannot be had without a network: its networks are tested with random ones, where the
package is installed, and everything around them with a stand-in that finds bright squares.
"""

import sys
import types
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import headmime.landmarks
from headmime.errors import HeadmimeError
from headmime.landmarks.detect import load_detector

NETWORKS = "headmime.landmarks.s3fd_fan"


class BrightSquares:
    """Stands for s3fd_fan: a face is what is brighter than 128, its points are its middle."""

    def __init__(self) -> None:
        self.searched: list[tuple[int, ...]] = []
        self.fitted: list[int] = []

    def load_network(self, kind: str, weights: str | None, device: torch.device) -> str:
        return f"{kind} from {weights}"

    def find_boxes(self, net: str, images: np.ndarray, _: torch.device) -> list[np.ndarray]:
        assert net == "s3fd from here"
        self.searched.append(images.shape)
        boxes = []
        for image in images:
            y, x = np.nonzero(image[..., 0] > 128)
            corners = [(x.min(), y.min(), x.max() + 1, y.max() + 1, 0.9)] if len(x) else []
            boxes.append(np.array(corners, float).reshape(-1, 5))
        return boxes

    def find_points(
        self, net: str, faces: Sequence[tuple[np.ndarray, np.ndarray]], _: torch.device
    ) -> tuple[np.ndarray, np.ndarray]:
        assert net == "fan from there"
        self.fitted.append(len(faces))
        middles = [(box[:2] + box[2:]) / 2 for _, box in faces]
        return np.float32([[middle] * 68 for middle in middles]), np.full((len(faces), 68), 0.7)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> BrightSquares:
    networks = BrightSquares()
    monkeypatch.setitem(sys.modules, NETWORKS, networks)
    monkeypatch.setattr(headmime.landmarks, "s3fd_fan", networks, raising=False)
    return networks


def image(height: int, width: int, left: int, top: int, side: int) -> np.ndarray:
    """A bright square on black."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top : top + side, left : left + side] = 255
    return pixels


def test_frames_and_faces_are_batched(networks: BrightSquares):
    found = load_detector("face-alignment", s3fd="here", fan="there", batch=4)
    assert found.name == "face-alignment" and found.batch == 4
    frames = [image(100, 200, 10 + k, 20, 30) for k in range(6)]
    frames.insert(2, image(80, 80, 40, 40, 20))
    frames.insert(5, image(100, 200, 0, 0, 0))
    frames.append(image(1000, 3200, 500, 250, 500))
    faces = found.detect(frames)
    assert [len(one) for one in faces] == [1, 1, 1, 1, 1, 0, 1, 1, 1]
    assert faces[0][0].box == (10, 20, 40, 50) and faces[7][0].box == (15, 20, 45, 50)
    np.testing.assert_array_equal(faces[2][0].pixels, np.tile([50, 50], (68, 1)))
    assert faces[2][0].score == pytest.approx(0.7)
    np.testing.assert_allclose(faces[8][0].box, (500, 250, 1000, 750), atol=5)
    sizes = {(1, 80, 80, 3), (4, 100, 200, 3), (3, 100, 200, 3), (1, 200, 640, 3)}
    assert set(networks.searched) == sizes  # the large one in a copy of 640 pixels
    assert networks.fitted == [4, 4]
    assert found.detect([]) == []


def test_a_small_face_in_a_photograph_is_searched_in_a_larger_copy(networks: BrightSquares):
    """One of 3 pixels of 4000 wide is below what a copy of 640 shows."""
    found = load_detector("face-alignment", s3fd="here", fan="there", batch=4)
    photographs = [image(3000, 4000, 2000, 1500, 3), image(3000, 4000, 2000, 1500, 900)]
    faces = found.detect([*photographs, image(480, 700, 0, 0, 0), image(600, 900, 0, 0, 0)])
    assert [len(one) for one in faces] == [1, 1, 0, 0]
    np.testing.assert_allclose(faces[0][0].box, (2000, 1500, 2003, 1503), atol=3)
    assert networks.searched[-2:] == [(1, 600, 900, 3), (1, 1200, 1600, 3)]
    assert networks.searched.count((2, 480, 640, 3)) == 1 and len(networks.searched) == 5


def test_following(networks: BrightSquares):
    found = load_detector("face-alignment", s3fd="here", fan="there")
    ((face,),) = found.detect([image(100, 200, 10, 20, 30)])
    assert found.follow(image(100, 200, 15, 20, 30), face).box == (15, 20, 45, 50)
    assert found.follow(image(100, 200, 90, 20, 30), face) is None
    assert found.follow(image(100, 200, 0, 0, 0), face) is None


def test_a_batch_of_none(networks: BrightSquares):
    with pytest.raises(HeadmimeError, match="detector.batch=0 should be 1 or more"):
        load_detector("face-alignment", batch=0)


def test_it_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    monkeypatch.delitem(sys.modules, NETWORKS, raising=False)
    monkeypatch.delattr(headmime.landmarks, "s3fd_fan", raising=False)
    with pytest.raises(HeadmimeError, match=r"pip install 'headmime\[face-alignment\]'.*dlib"):
        load_detector("face-alignment")


@pytest.fixture(scope="module")
def package() -> types.ModuleType:
    return pytest.importorskip(
        "face_alignment", reason="the extra face-alignment is not installed", exc_type=ImportError
    )


@pytest.fixture(scope="module")
def random_s3fd(package: types.ModuleType) -> nn.Module:
    """It sees a few faces, of many sizes, in anything."""
    from face_alignment.detection.sfd.net_s3fd import s3fd

    torch.manual_seed(0)
    net = s3fd()
    for name, values in net.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(values)
        elif values.ndim == 4:
            nn.init.kaiming_normal_(values)
        if "mbox_conf.weight" in name:
            nn.init.normal_(values, std=0.004)
        if "mbox_conf.bias" in name:
            values.data[-1] = -1.0
        if "mbox_loc.weight" in name:
            values.data *= 0.02
    return net.eval()


@pytest.fixture(scope="module")
def random_fan(package: types.ModuleType) -> nn.Module:
    from face_alignment.models import FAN

    torch.manual_seed(0)
    net = FAN(1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return net.eval()


CPU = torch.device("cpu")


def noise(count: int, height: int, width: int) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.integers(0, 255, (count, height, width, 3), dtype=np.uint8)


def test_boxes_are_those_of_the_package(random_s3fd: nn.Module):
    from face_alignment.detection.sfd.sfd_detector import SFDDetector

    from headmime.landmarks.s3fd_fan import find_boxes

    theirs = object.__new__(SFDDetector)
    theirs.device, theirs.filter_threshold, theirs.face_detector = "cpu", 0.5, random_s3fd
    images = noise(3, 96, 128)
    for ours, one in zip(find_boxes(random_s3fd, images, CPU), images, strict=True):
        expected = np.array(theirs.detect_from_image(one))
        assert len(expected)
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.slow  # the package compiles with numba
def test_points_are_those_of_the_package_without_its_rounding(
    package: types.ModuleType, random_fan: nn.Module
):
    from headmime.landmarks.s3fd_fan import find_points

    theirs = object.__new__(package.FaceAlignment)
    theirs.__dict__ |= {
        "device": "cpu",
        "dtype": torch.float32,
        "flip_input": True,
        "max_batch_size": 1,
        "landmarks_type": package.LandmarksType.TWO_D,
        "face_alignment_net": random_fan,
        "face_detector": types.SimpleNamespace(reference_scale=195),
    }
    images = noise(2, 150, 180)
    boxes = np.array([(20.5, 30.25, 90, 120.75), (-15, 40, 60, 149.5), (100, 20, 179, 110)])
    faces = [(images[0], boxes[0]), (images[1], boxes[1]), (images[0], boxes[2])]
    pixels, scores = find_points(random_fan, faces, CPU)
    for (one, box), points, score in zip(faces, pixels, scores, strict=True):
        (expected,), (peaks,), _ = theirs.get_landmarks_from_image(
            one, [np.append(box, 0.9)], return_landmark_score=True
        )
        np.testing.assert_array_equal(np.trunc(points + 1e-4 * np.sign(points)), expected)
        np.testing.assert_allclose(score, peaks, rtol=1e-4)


def test_images_too_small_for_a_face(random_s3fd: nn.Module):
    from headmime.landmarks.s3fd_fan import find_boxes

    for shape in [(1, 1), (2, 300), (31, 90), (32, 32), (33, 99)]:
        assert len(find_boxes(random_s3fd, noise(2, *shape), CPU)) == 2


def test_weights_by_path(random_s3fd: nn.Module, tmp_path: Path):
    from headmime.landmarks.s3fd_fan import load_network

    file = tmp_path / "s3fd.pth"
    torch.save(random_s3fd.state_dict(), file)
    assert torch.equal(load_network("s3fd", str(file), CPU).fc7.weight, random_s3fd.fc7.weight)
    with pytest.raises(HeadmimeError, match="detector.fan=.* does not hold the weights"):
        load_network("fan", str(file), CPU)
    (tmp_path / "empty.pth").touch()
    for name in ("missing.pth", "empty.pth"):
        with pytest.raises(HeadmimeError, match=r"could not be loaded .* detector\.fan=FILE.*dlib"):
            load_network("fan", str(tmp_path / name), CPU)


def test_weights_cannot_be_downloaded(
    package: types.ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    from headmime.landmarks.s3fd_fan import load_network

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(HeadmimeError, match=r"s3fd-619a316812.pth: no network.*detector.s3fd=FILE"):
        load_network("s3fd", None, CPU)
