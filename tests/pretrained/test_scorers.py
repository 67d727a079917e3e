"""The networks that score: what they agree with, what they say of themselves, what they refuse."""

import hashlib
import importlib
import sys
import types

import cv2
import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from headmime.cli.config import conf_folder
from headmime.data.image_reader import read_image
from headmime.errors import HeadmimeError
from headmime.landmarks.crop import crop_box
from headmime.landmarks.detect import load_detector
from headmime.pixels import to_tensor
from headmime.pretrained.arcface import TEMPLATE, align_face
from headmime.pretrained.dlib_identity import dlib_identity
from headmime.pretrained.inception import inception_features
from headmime.pretrained.lpips_alexnet import lpips_alexnet
from headmime.pretrained.shift_tolerant import (
    shift_tolerant_alexnet,
    shift_tolerant_distance,
    shift_tolerant_features,
)
from headmime.pretrained.sitter_identity import efficientnet_and_identity
from headmime.pretrained.weights import find_weights


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def others(frames) -> np.ndarray:
    return frames[::-1].copy()


@pytest.fixture(scope="module")
def mona(mona_lisa):
    """Her face, uint8 [1, 256, 256, 3], and its landmarks [1, 68, 2]."""
    picture = read_image(mona_lisa)
    pixels = load_detector("dlib").detect([picture])[0][0].pixels
    crop = crop_box(pixels[None])
    return crop.cut(picture, 256)[None], crop.to_crop(pixels)[None]


@pytest.fixture(scope="module")
def their_network(monkeypatch_module):
    """The package's own network: its unused imports are replaced by nothing."""
    monkeypatch_module.setitem(sys.modules, "IPython", types.SimpleNamespace(embed=None))
    monkeypatch_module.setitem(sys.modules, "torchsummary", types.SimpleNamespace(summary=None))
    module = importlib.import_module("stlpips_pytorch.stlpips")
    return module.LPIPS(net="alex", variant="shift_tolerant", verbose=False)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_the_packaged_distance_is_that_of_its_package(frames, their_network, others):
    ours = shift_tolerant_distance()(frames, others)
    with torch.inference_mode():
        theirs = their_network(to_tensor(frames), to_tensor(others)).flatten()
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)


def test_a_picture_is_at_no_distance_from_itself(frames):
    np.testing.assert_array_equal(shift_tolerant_distance()(frames, frames), 0)


def test_packaged_features_are_the_last_activation_s_mean(frames):
    network = shift_tolerant_alexnet()
    large = np.repeat(np.repeat(frames, 2, 1), 2, 2)  # 128 pixels: not resized
    with torch.inference_mode():
        expected = 180 * network(to_tensor(large))[-1].mean((2, 3))
    got = shift_tolerant_features()(large)
    assert got.shape == (3, 256)
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-5)


def test_packaged_features_see_how_far_a_picture_was_blurred(mona):
    frame, _ = mona
    features = shift_tolerant_features()
    blurred = [cv2.GaussianBlur(frame[0], (0, 0), sigma)[None] for sigma in (1, 2, 4)]
    far = [np.linalg.norm(features(one) - features(frame)) for one in blurred]
    assert 0 < far[0] < far[1] < far[2]


def test_dlib_tells_a_face_from_another_but_not_from_a_smaller_copy(mona):
    frame, landmarks = mona
    small = frame[:, ::2, ::2]
    embed = dlib_identity()
    e, copy, other = (
        embed(frame, landmarks)[0],
        embed(small, landmarks)[0],
        embed(frame, 0.5 + 0.6 * (landmarks - 0.5))[0],  # not aligned: another "face"
    )
    assert e.shape == (128,)
    assert np.linalg.norm(e - copy) < 0.3
    assert np.linalg.norm(e - other) > 0.4


def test_arcface_s_alignment_is_the_least_squares_similarity(mona):
    skimage = pytest.importorskip("skimage.transform")
    frame, landmarks = mona[0][0], mona[1][0]
    points = np.stack(
        [
            landmarks[36:42].mean(0),
            landmarks[42:48].mean(0),
            landmarks[30],
            landmarks[48],
            landmarks[54],
        ]
    )
    similarity = skimage.SimilarityTransform.from_estimate(points * 256 - 0.5, TEMPLATE)
    reference = skimage.warp(frame, similarity.inverse, output_shape=(112, 112), order=1)
    difference = align_face(frame, landmarks) - 255 * reference
    assert abs(difference).mean() < 1  # OpenCV interpolates in 1/32 of a pixel


def test_lpips_with_a_trunk_by_path_is_lpips_with_that_trunk(tmp_path, frames, others):
    import torchvision
    from torchmetrics.functional.image.lpips import _LPIPS

    torch.manual_seed(0)
    trunk = torchvision.models.alexnet(weights=None)
    file = tmp_path / "alexnet.pth"
    torch.save(trunk.state_dict(), file)
    score = lpips_alexnet(str(file))
    assert score.origin == {
        "files": {"alexnet.pth": hashlib.sha256(file.read_bytes()).hexdigest()},
        "stand_in": False,
    }
    reference = _LPIPS(pretrained=True, net="alex", pnet_rand=True)
    for name, layer in reference.net.named_modules():
        if hasattr(layer, "weight"):
            number = name.split(".")[-1]
            source = trunk.features[int(number)]
            layer.load_state_dict(source.state_dict())
    with torch.inference_mode():
        expected = reference.eval()(to_tensor(frames), to_tensor(others)).flatten()
    np.testing.assert_allclose(score(frames, others), expected.numpy(), atol=1e-4)


def test_inception_by_path(tmp_path, frames, monkeypatch):
    from torch_fidelity import feature_extractor_inceptionv3 as theirs

    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        patch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(theirs.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = theirs.FeatureExtractorInceptionV3("random", ["2048"])
    file = tmp_path / "inception.pth"
    torch.save(network.state_dict(), file)
    features = inception_features(str(file))(frames)
    pictures = torch.from_numpy(frames).movedim(-1, 1)
    np.testing.assert_allclose(features, network(pictures)[0].numpy(), atol=1e-4)


@pytest.mark.parametrize("make", [lpips_alexnet, inception_features])
def test_weights_of_something_else_are_refused(make, tmp_path):
    file = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(1)}, file)
    with pytest.raises(HeadmimeError, match="other.pth does not hold"):
        make(str(file))


def test_missing_weights_are_asked_for_with_their_address():
    with pytest.raises(HeadmimeError, match="some.key=FILE.*the net.*https://example.org/net-1"):
        find_weights(None, "some.key", "the net", "https://example.org/net-1.pth")


def test_what_cannot_be_fetched_is_said(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(HeadmimeError, match="no route.*some.key=FILE"):
        find_weights("download", "some.key", "the net", "https://example.org/net-123.pth")


def test_no_packaged_scorer_has_a_part_in_a_training_loss():
    """The packaged losses are EfficientNet-Lite0's and the identity network's."""
    loss = set(efficientnet_and_identity(None, 1.0).origin["files"].values())
    packaged = OmegaConf.load(conf_folder() / "scorers" / "packaged.yaml")
    assert loss and packaged
    for scorer in map(instantiate, packaged.values()):
        assert scorer.origin["stand_in"] is True
        assert scorer.origin["files"]
        assert not loss & set(scorer.origin["files"].values())
        assert "efficientnet" not in scorer.name


def test_a_damaged_onnx_file_is_refused(tmp_path):
    from headmime.pretrained.arcface import arcface

    file = tmp_path / "face.onnx"
    file.write_bytes(b"nothing")
    with pytest.raises(HeadmimeError, match="face.onnx is not an ONNX model"):
        arcface(str(file))
