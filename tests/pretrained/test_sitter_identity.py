import json

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from headmime.animate.person import bundled_people
from headmime.cli.config import conf_folder
from headmime.landmarks.closeups import closeup_strips
from headmime.learning.closeup import close_up, closeup_loss
from headmime.learning.settings import LossWeights
from headmime.pixels import to_tensor
from headmime.pretrained.efficientnet import efficientnet_lite0
from headmime.pretrained.frozen import FrozenConv
from headmime.pretrained.sitter_identity import (
    CONVOLUTIONS,
    FILE,
    EfficientNetAndIdentity,
    efficientnet_and_identity,
    sitter_identity,
    stage_features,
)

SHAPES = [(32, 28, 28), (64, 14, 14), (112, 7, 7), (128, 1, 1)]


@pytest.fixture(scope="module")
def net():
    return sitter_identity()


@pytest.fixture(scope="module")
def faces():
    """Three frames of each of twelve rendered sitters that training never saw, and landmarks."""
    people = bundled_people(128)[:12]
    return to_tensor(np.concatenate([x for x, _ in people])), np.concatenate([p for _, p in people])


def test_stages_halve_and_blocks_add():
    """With weights of zero a block passes its input on."""
    convs = {
        name: FrozenConv(torch.zeros(o, i, 3, 3), torch.ones(o) * (stride == 2), stride)
        for name, (i, o, stride) in CONVOLUTIONS.items()
    }
    ends = stage_features(convs, torch.zeros(2, 3, 112, 112))
    assert [tuple(end.shape[1:]) for end in ends] == [(16, 56, 56), *SHAPES[:3]]
    assert all((end == 1).all() for end in ends)


def test_the_file_is_described_and_small(net):
    origin = json.loads(FILE.with_suffix(".json").read_text())
    assert net.origin == {
        "files": {"identity.safetensors": origin["sha256"]},
        "stand_in": True,
        "scale": "relative to sitters",
    }
    assert {"store", "commit", "settings", "steps"} <= set(origin["origin"])
    assert FILE.stat().st_size < 1e6


@pytest.mark.parametrize("size", [64, 112, 256])
def test_four_features_whatever_the_size(net, size):
    features = net(torch.zeros(2, 3, size, size))
    assert [tuple(f.shape[1:]) for f in features] == SHAPES


def test_it_is_frozen_and_passes_gradient_to_the_images(net, faces):
    net.train()
    assert not net.training and list(net.parameters()) == [] and net.state_dict() == {}
    x = faces[0][:2].clone().requires_grad_()
    sum(f.abs().mean() for f in net(x)).backward()
    assert (x.grad != 0).any(dim=(1, 2, 3)).all()


def test_autocast_keeps_features_close_and_the_embedding_in_float32(net, faces):
    exact = net(faces[0][:4])
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(faces[0][:4])
    assert [f.dtype for f in rough] == [torch.bfloat16] * 3 + [torch.float32]
    for a, b in zip(exact, rough, strict=True):
        assert (a - b.float()).abs().mean() < 0.05 * a.abs().mean()


def test_features_are_relative_to_sitters(net, faces):
    assert all(0.8 < f.abs().mean() < 1.25 for f in net(faces[0]))


def test_frames_of_a_sitter_are_nearer_than_those_of_two(net, faces):
    e = net.embed(faces[0])
    torch.testing.assert_close(e.norm(dim=1), torch.ones(len(e)))
    cosines = (e @ e.T).reshape(12, 3, 12, 3)
    within = cosines.diagonal(dim1=0, dim2=2)[~torch.eye(3, dtype=bool)].mean()
    between = cosines[~torch.eye(12, dtype=bool)[:, None, :, None].expand(12, 3, 12, 3)].mean()
    assert within > between + 0.3


def test_the_configuration_makes_both_networks():
    settings = OmegaConf.load(conf_folder() / "perceptual" / "efficientnet+identity.yaml")
    both = instantiate(settings, identity_weight=2)
    assert both.name == "efficientnet+identity" and both.origin["stand_in"] is True
    assert both.origin["identity_weight"] == both.identity_weight == 2
    assert set(both.origin["files"]) == {
        *efficientnet_lite0(None).origin["files"],
        "identity.safetensors",
    }
    assert list(both.parameters()) == [] and both.state_dict() == {}


def test_the_weight_is_the_identity_networks_alone(net, faces):
    alone = efficientnet_lite0(None)
    whole = EfficientNetAndIdentity(alone, net, 0.5)(faces[0][:2])
    assert len(whole) == 9
    for got, wanted in zip(whole[:5], alone(faces[0][:2]), strict=True):
        torch.testing.assert_close(got, wanted)
    for got, wanted in zip(whole[5:], net(faces[0][:2]), strict=True):
        torch.testing.assert_close(got, wanted / 2)


def test_close_ups_do_not_pass_through_the_identity_network(faces):
    x, near = faces[0][:2], torch.from_numpy(closeup_strips(faces[1][:2]))
    other = faces[0][3:5]
    weights = LossWeights()
    both = closeup_loss(x, other, near, efficientnet_and_identity(None, 1.0), weights)
    assert both > 0
    assert both == closeup_loss(x, other, near, efficientnet_lite0(None), weights)
    assert len(efficientnet_and_identity(None, 1.0).close_up_features(close_up(x, near))) == 5
