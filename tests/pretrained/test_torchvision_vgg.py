import json

import pytest
import torch
import torchvision

from headmime.errors import HeadmimeError
from headmime.pretrained import torchvision_vgg as module
from headmime.pretrained.frozen import per_channel
from headmime.pretrained.torchvision_vgg import (
    layer_scales,
    torchvision_input,
    torchvision_vgg,
)

TAPS = (1, 6, 11, 20, 29)
MEAN, DEVIATION = per_channel(module.MEAN), per_channel(module.DEVIATION)


@pytest.fixture(scope="module")
def reference():
    """torchvision's own VGG19 with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torchvision.models.vgg19(weights=None).features[:30].eval().requires_grad_(False)


@pytest.fixture(scope="module")
def file(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("vgg") / "vgg19.pth"
    torch.save({f"features.{k}": v for k, v in reference.state_dict().items()}, path)
    return str(path)


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_input_is_rgb_with_imagenets_mean_and_deviation():
    x = torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1)
    expected = torch.tensor([(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]).view(
        1, 3, 1, 1
    )
    torch.testing.assert_close(torchvision_input(x, MEAN, DEVIATION), expected)


def test_features_equal_torchvisions_network(file, reference, images):
    net = torchvision_vgg(file, scales=None)
    x, expected = torchvision_input(images, MEAN, DEVIATION), []
    for number, layer in enumerate(reference):
        x = layer(x)
        if number in TAPS:
            expected.append(x.clone() * 0.15)
    for feature, by_hand in zip(net(images), expected, strict=True):
        torch.testing.assert_close(feature, by_hand)


def test_nothing_is_copied_to_the_device_at_each_call(file, images, makes_tensors_of_numbers):
    assert not makes_tensors_of_numbers(torchvision_vgg(file, scales=None), images)


def test_without_scales_the_scale_is_unknown(file):
    net = torchvision_vgg(file, scales=None)
    assert net.origin["scale"] == "unknown" and net.origin["stand_in"]
    assert list(net.origin["files"]) == ["vgg19.pth"]


def test_measured_scales_bring_features_to_the_other_networks_magnitude(file, images, tmp_path):
    plain = torchvision_vgg(file, scales=None)
    target = [2.0, 3.0, 4.0, 5.0, 6.0]
    caffe = lambda x: [-f * s for f, s in zip(plain(x), target, strict=True)]  # noqa: E731
    scales = layer_scales(caffe, plain, images)
    assert scales == pytest.approx(target)
    path = tmp_path / "scales.json"
    path.write_text(json.dumps({"scales": scales}))
    scaled = torchvision_vgg(file, str(path))
    assert scaled.origin["scale"] == "caffe, by measurement"
    assert set(scaled.origin["files"]) == {"vgg19.pth", "scales.json"}
    for a, b in zip(scaled(images), caffe(images), strict=True):
        assert a.abs().mean().item() == pytest.approx(b.abs().mean().item())


@pytest.mark.parametrize("text", ["[1]", '{"scales": [1, 2]}', '{"scales": [1, 1, 1, 1, 0]}', "?"])
def test_a_bad_scales_file_is_one_sentence(file, tmp_path, text):
    path = tmp_path / "scales.json"
    path.write_text(text)
    with pytest.raises(HeadmimeError, match="scales"):
        torchvision_vgg(file, str(path))


def test_a_missing_file_is_one_sentence():
    with pytest.raises(HeadmimeError, match="perceptual.vgg19 is not set"):
        torchvision_vgg(None, scales=None)
