"""Networks for larger images take the inner layers of smaller ones."""

from dataclasses import replace

import pytest
import torch

from headmime.errors import HeadmimeError
from headmime.nets import Nets, build_nets
from headmime.nets.blocks import AdaptiveBlock
from headmime.nets.inheritance import inherit
from headmime.nets.shape import ModelShape

SMALL = ModelShape(16, 4, 8, 2, 2, attention_down=4, attention_up=8)
LARGE = ModelShape(32, 2, 8, 3, 2, attention_down=4, attention_up=8)
"""Channels 4, 8 from 8 pixels on, and 2, 4, 8 from 16 pixels on."""


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
        f"{net}.{n}": p for net in Nets._fields for n, p in getattr(larger, net).named_parameters()
    }
    inherited = {id(p) for layer, _ in pairs for p in layer.parameters()} | {id(D.w0), id(D.b)}
    assert {id(parameters[name]) for name in names} == inherited
    assert len(names) == len(set(names))


def test_the_middle_of_the_generator_computes_what_it_computed(given: Nets, larger: Nets) -> None:
    inherit(larger, LARGE, given, SMALL)
    torch.manual_seed(3)
    h, psi = torch.randn(2, 4, 8, 8), torch.randn(2, 200)

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
    assert largest.item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (replace(LARGE, width=3), r"channels \[4, 8\] .* model has \[3, 6, 8\]"),
        (
            replace(LARGE, width=4, max_width=16),
            "embeddings of 8 numbers, not of model.max_width=16",
        ),
    ],
)
def test_where_nothing_fits_it_says_so(given: Nets, shape: ModelShape, sentence: str) -> None:
    with pytest.raises(HeadmimeError, match=sentence):
        inherit(build_nets(shape), shape, given, SMALL)
