import re

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from headmime.errors import HeadmimeError
from headmime.pretrained import caffe_vgg as module
from headmime.pretrained.caffe_vgg import caffe_input, caffe_vgg
from headmime.pretrained.frozen import per_channel

# Stages of convolutions as (number in torchvision's `features`, Caffe's name, outputs), by hand.
VGG16 = [
    (0, "conv1_1", 64), (2, "conv1_2", 64),
    (5, "conv2_1", 128), (7, "conv2_2", 128),
    (10, "conv3_1", 256), (12, "conv3_2", 256), (14, "conv3_3", 256),
    (17, "conv4_1", 512), (19, "conv4_2", 512), (21, "conv4_3", 512),
    (24, "conv5_1", 512),
]  # fmt: skip
VGG19 = [
    (0, "conv1_1", 64), (2, "conv1_2", 64),
    (5, "conv2_1", 128), (7, "conv2_2", 128),
    (10, "conv3_1", 256), (12, "conv3_2", 256), (14, "conv3_3", 256), (16, "conv3_4", 256),
    (19, "conv4_1", 512), (21, "conv4_2", 512), (23, "conv4_3", 512), (25, "conv4_4", 512),
    (28, "conv5_1", 512),
]  # fmt: skip


def random_weights(convolutions, seed, caffe_names):
    """A state dict up to relu5_1, with tensors after it that must not matter."""
    generator = torch.Generator().manual_seed(seed)
    state, inputs = {"classifier.6.bias": torch.zeros(1000)}, 3
    for number, name, outputs in convolutions:
        prefix = name if caffe_names else f"features.{number}"
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator) / (3 * inputs**0.5)
        state[f"{prefix}.weight"] = weight
        state[f"{prefix}.bias"] = torch.randn(outputs, generator=generator)
        inputs = outputs
    return state


def taps_by_hand(state, convolutions, x, taps, caffe_names):
    """Run the stack layer by layer; pooling wherever the stage in Caffe's name changes."""
    features, stage = [], "1"
    for number, name, _ in convolutions:
        if name[4] != stage:
            x, stage = F.max_pool2d(x, kernel_size=2, stride=2), name[4]
        prefix = name if caffe_names else f"features.{number}"
        x = F.conv2d(x, state[f"{prefix}.weight"], state[f"{prefix}.bias"], padding=1).clamp(min=0)
        if number + 1 in taps:
            features.append(x)
    return features


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vgg")
    vgg19, vggface = random_weights(VGG19, 1, True), random_weights(VGG16, 2, False)
    safetensors.torch.save_file(vgg19, folder / "vgg19.safetensors")
    torch.save(vggface, folder / "vggface.pth")
    return folder, vgg19, vggface


@pytest.fixture(scope="module")
def net(files):
    folder, _, _ = files
    return caffe_vgg(str(folder / "vgg19.safetensors"), str(folder / "vggface.pth"))


def test_input_is_bgr_of_0_to_255_minus_the_mean():
    red = torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1)  # R 255, G 0, B 127.5
    expected = torch.tensor([127.5 - 103.939, 0 - 116.779, 255 - 123.68]).view(1, 3, 1, 1)
    torch.testing.assert_close(caffe_input(red, per_channel(module.VGG19_MEAN)), expected)


def test_nothing_is_copied_to_the_device_at_each_call(net, makes_tensors_of_numbers):
    assert makes_tensors_of_numbers(lambda x: x.new_tensor([1.0]), torch.zeros(1))
    assert not makes_tensors_of_numbers(net, torch.zeros(1, 3, 16, 16))


def test_ten_features_equal_a_run_by_hand(files, net):
    _, vgg19, vggface = files
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    blue_green_red = torch.stack([images[:, 2], images[:, 1], images[:, 0]], 1) * 127.5 + 127.5
    of = lambda *mean: blue_green_red - torch.tensor(mean).view(1, 3, 1, 1)  # noqa: E731
    expected = [
        f * 0.15
        for f in taps_by_hand(vgg19, VGG19, of(103.939, 116.779, 123.68), (1, 6, 11, 20, 29), True)
    ]
    expected += [
        f * 0.025
        for f in taps_by_hand(
            vggface, VGG16, of(93.5940, 104.7624, 129.1863), (1, 6, 11, 18, 25), False
        )
    ]
    features = net(images)
    assert len(features) == 10
    for feature, by_hand in zip(features, expected, strict=True):
        torch.testing.assert_close(feature, by_hand, rtol=1e-4, atol=1e-2)


def test_it_is_frozen_and_passes_gradient_to_the_images(net):
    net.train()
    assert not net.training and not net.vgg19.training
    assert list(net.parameters()) == [] and net.state_dict() == {}
    images = torch.zeros(1, 3, 16, 16, requires_grad=True)
    sum(f.float().mean() for f in net(images)).backward()
    assert images.grad.abs().sum() > 0


def test_autocast_keeps_features_close(net):
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(3)) * 2 - 1
    exact = net(images)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(images)
    for a, b in zip(exact, rough, strict=True):
        assert b.dtype == torch.bfloat16
        assert (a - b.float()).abs().mean() < 0.02 * a.abs().mean()


def test_layers_after_the_last_tap_are_not_built(net):
    assert max(int(n) for n in net.vgg19.layers) == 28
    assert max(int(n) for n in net.vggface.layers) == 24


def test_origin_names_the_files(files, net):
    assert net.name == "paper"
    assert not net.origin["stand_in"] and net.origin["scale"] == "caffe"
    assert set(net.origin["files"]) == {"vgg19.safetensors", "vggface.pth"}
    assert all(re.fullmatch("[0-9a-f]{64}", h) for h in net.origin["files"].values())


@pytest.mark.parametrize(
    ("vgg19", "vggface", "message"),
    [
        (None, "vggface.pth", "perceptual.vgg19 is not set.*perceptual=efficientnet"),
        ("vgg19.safetensors", None, "perceptual.vggface is not set"),
        ("nowhere.pth", "vggface.pth", "perceptual.vgg19: there is no file .*nowhere.pth"),
        ("vggface.pth", "vggface.pth", r"vggface.pth has neither features.16.weight|not \["),
    ],
)
def test_missing_or_wrong_files_are_one_sentence(files, vgg19, vggface, message):
    folder, _, _ = files
    paths = [None if name is None else str(folder / name) for name in (vgg19, vggface)]
    with pytest.raises(HeadmimeError, match=message):
        caffe_vgg(*paths)


def test_torchvisions_own_file_is_sent_to_its_own_option(files, monkeypatch):
    folder, _, _ = files
    monkeypatch.setattr(module, "sha256", lambda path: "dcbb9e9d" + "0" * 56)
    with pytest.raises(HeadmimeError, match="perceptual=torchvision"):
        caffe_vgg(str(folder / "vgg19.safetensors"), str(folder / "vggface.pth"))
