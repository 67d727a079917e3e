"""Networks for larger images take the inner layers of smaller ones."""

from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch
from torch.nn import functional as F

from headmime.animate.driving import find_driving, load_template
from headmime.assets import weights_path
from headmime.errors import HeadmimeError
from headmime.landmarks.drawing import draw_landmarks
from headmime.nets import Nets, build_nets
from headmime.nets.blocks import AdaptiveBlock
from headmime.nets.checkpoint import load_nets
from headmime.nets.inheritance import inherit
from headmime.nets.shape import ModelShape

SMALL = ModelShape(16, 16, 32, 2, 2, attention_down=4, attention_up=8)
LARGE = ModelShape(32, 8, 32, 3, 2, attention_down=4, attention_up=8)
"""Channels 16, 32 from 8 pixels on, and 8, 16, 32 from 16 pixels on."""


@pytest.fixture
def given() -> Nets:
    torch.manual_seed(1)
    return build_nets(SMALL)


@pytest.fixture
def larger() -> Nets:
    torch.manual_seed(2)
    return build_nets(LARGE)


def test_inner_layers_are_the_smaller_network_s(given: Nets, larger: Nets) -> None:
    names = inherit(larger, LARGE, given, SMALL)
    E, G, D = larger
    pairs = [(E.layers[k], given.embedder.layers[k - 1]) for k in (2, 3)]
    pairs += [(D.v.layers[k], given.discriminator.v.layers[k - 1]) for k in (2, 3, 4)]
    small, large = given.generator.synthesis, G.synthesis
    pairs += [(large.down[k], small.down[k - 1]) for k in (2, 3)]
    pairs += [*zip(large.same, small.same, strict=True), *zip(large.up[:2], small.up, strict=False)]
    for layer, source in pairs:
        copied, original = layer.state_dict(), source.state_dict()
        assert all(torch.equal(copied[name], original[name]) for name in original)
    assert torch.equal(D.w0, given.discriminator.w0) and torch.equal(D.b, given.discriminator.b)
    parameters = {
        f"{net}.{name}": parameter
        for net, module in larger._asdict().items()
        for name, parameter in module.named_parameters()
    }
    inherited = {id(p) for layer, _ in pairs for p in layer.parameters()} | {id(D.w0), id(D.b)}
    for second in (E.layers[1], D.v.layers[1], large.down[1]):
        inherited |= {id(p) for m in (second.conv2, second.norm2) for p in m.parameters()}
    assert {id(parameters[name]) for name in names} == inherited
    assert len(names) == len(set(names))


def test_e_and_d_see_the_halved_image_as_the_smaller_ones_do(given: Nets, larger: Nets) -> None:
    """To rounding, away from the border, where the padding is another."""
    inherit(larger, LARGE, given, SMALL)
    torch.manual_seed(4)
    x = torch.rand(2, 6, 32, 32) * 2 - 1
    for layers, small in (
        (larger.embedder.layers, given.embedder.layers),
        (larger.discriminator.v.layers, given.discriminator.v.layers),
    ):
        with torch.no_grad():
            halved, own = small[0](F.avg_pool2d(x, 2)), layers[1](layers[0](x))
        torch.testing.assert_close(own[..., 2:-2, 2:-2], halved[..., 2:-2, 2:-2])


def test_the_bundled_networks_enlarged_know_and_judge_people_as_before(mona_lisa: Path) -> None:
    """Of an image at 256x256, as the bundled ones do of it at 128x128: E's embedding to 2 %, D's
    score to 0.1. The generator has an upsampling half to learn.
    """
    given, shape, _ = load_nets(weights_path("bundled_128"))
    large = replace(shape, image_size=256, width=12, generator_levels=5)
    torch.manual_seed(5)
    nets = build_nets(large)
    inherit(nets, large, given, shape)
    image = cv2.resize(cv2.imread(str(mona_lisa))[..., ::-1], (256, 256))
    drawing = draw_landmarks(load_template(find_driving("talk")).landmarks[0], 256)
    x, y = (torch.from_numpy(p / 127.5 - 1).float().movedim(-1, 0)[None] for p in (image, drawing))
    small = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    W_i = torch.zeros(1, shape.embedding)
    with torch.no_grad():
        e_hat, before = (
            nets.embedder(x[None], y[None]),
            given.embedder(small[0][None], small[1][None]),
        )
        score, was = nets.discriminator(x, y, W_i).score, given.discriminator(*small, W_i).score
    assert (e_hat - before).norm() < 0.02 * before.norm()
    assert abs(score - was) < 0.1


def test_the_middle_of_the_generator_computes_what_it_computed(given: Nets, larger: Nets) -> None:
    inherit(larger, LARGE, given, SMALL)
    torch.manual_seed(3)
    h, psi = torch.randn(2, 16, 8, 8), torch.randn(2, 600)

    def middle(nets: Nets, first: int) -> torch.Tensor:
        synthesis, out = nets.generator.synthesis, h
        for block in synthesis.down[first:]:
            out = block(out)
        start = 0
        for block in (*synthesis.same, synthesis.up[0]):
            out = block(out, psi[:, start : start + block.n_psi])
            start += block.n_psi
        return out

    assert torch.equal(middle(larger, 2), middle(given, 1))


def test_rows_of_p_follow_their_blocks_and_the_others_begin_at_nothing(
    given: Nets, larger: Nets
) -> None:
    inherit(larger, LARGE, given, SMALL)
    P, given_P = larger.generator.projection.weight, given.generator.projection.weight
    kept = sum(b.n_psi for b in given.generator.synthesis.same)
    kept += given.generator.synthesis.up[0].n_psi
    assert isinstance(given.generator.synthesis.up[0], AdaptiveBlock)
    assert torch.equal(P[:kept], given_P[:kept]) and not P[kept:].any() and len(P) > kept
    layer = larger.generator.projection
    largest = torch.linalg.svdvals(layer.normalised_weight().detach())[0]
    assert largest.item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (replace(LARGE, width=9), r"channels \[16, 32\] .* model has \[9, 18, 32\]"),
        (
            replace(LARGE, width=6, max_width=24),
            "embeddings of 32 numbers, not of model.max_width=24",
        ),
    ],
)
def test_where_nothing_fits_it_says_so(given: Nets, shape: ModelShape, sentence: str) -> None:
    with pytest.raises(HeadmimeError, match=sentence):
        inherit(build_nets(shape), shape, given, SMALL)


def test_smaller_networks_take_the_inner_layers_of_larger_ones(given: Nets, larger: Nets) -> None:
    names = inherit(given, SMALL, larger, LARGE)
    assert torch.equal(
        given.embedder.layers[1].conv1.weight, larger.embedder.layers[2].conv1.weight
    )
    assert (
        "embedder.layers.1.conv1.weight" in names and "embedder.layers.0.conv1.weight" not in names
    )
