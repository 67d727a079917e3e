import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from headmime.nets import Nets, build_nets
from headmime.nets.blocks import AdaptiveBlock, DownBlock, adain
from headmime.nets.downsampling import pooled
from headmime.nets.shape import ModelShape
from headmime.nets.spectral import SpectralConv2d, SpectralLinear


@given(order=st.permutations(range(4)))
def test_an_embedding_does_not_depend_on_the_order_of_frames(order: list[int]) -> None:
    torch.manual_seed(0)
    nets = build_nets(ModelShape(16, 4, 8, 2, 1, 8, 8))
    x, y = torch.rand(1, 4, 3, 16, 16), torch.rand(1, 4, 3, 16, 16)
    torch.testing.assert_close(nets.embedder(x, y), nets.embedder(x[:, order], y[:, order]))


def test_pooling_is_relu_then_sum() -> None:
    h = torch.tensor([[[[1.0, -3.0], [2.0, 0.5]]]])
    assert pooled(h).item() == 3.5


def test_adain_sets_mean_and_deviation() -> None:
    h = torch.randn(2, 3, 8, 8) * 5 + 7
    out = adain(h, torch.full((2, 3), 1.0), torch.full((2, 3), -4.0))
    torch.testing.assert_close(out.mean((2, 3)), torch.full((2, 3), -4.0))
    torch.testing.assert_close(
        out.std((2, 3), correction=0), torch.full((2, 3), 2.0), rtol=1e-4, atol=0
    )


def test_each_adain_of_a_block_reads_its_own_parameters() -> None:
    block = AdaptiveBlock(2, 3, up=True)
    h, psi = torch.randn(1, 2, 4, 4), torch.zeros(1, block.n_psi, requires_grad=True)
    block(h, psi).square().sum().backward()
    assert block.n_psi == 2 * 2 + 2 * 3
    assert (psi.grad != 0).all()


def test_pooling_and_skip_commute() -> None:
    block = DownBlock(3, 5, first=True)
    h = torch.randn(1, 3, 8, 8)
    residual = F.avg_pool2d(block.conv2(F.relu(block.conv1(h))), 2)
    torch.testing.assert_close(block(h), residual + F.avg_pool2d(block.skip(h), 2))


def test_images_stay_within_their_range(nets: Nets) -> None:
    psi = nets.generator.project(torch.rand(2, 8) * 100)
    x_hat = nets.generator(torch.rand(2, 3, 16, 16) * 2 - 1, psi)
    assert x_hat.shape == (2, 3, 16, 16)
    assert x_hat.abs().max() <= 1


def test_features_are_the_outputs_of_all_blocks(nets: Nets) -> None:
    D, x = nets.discriminator, torch.rand(2, 3, 16, 16)
    features = D(x, x, torch.randn(2, 8)).features
    assert [f.shape[-1] for f in features] == [8, 4, 4]  # two halvings, and the extra block


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_embeddings_and_images_are_float32(nets: Nets, dtype: torch.dtype) -> None:
    x = torch.rand(1, 1, 3, 16, 16)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        e_hat = nets.embedder(x, x)
        x_hat = nets.generator(x[0], nets.generator.project(e_hat))
        score = nets.discriminator(x_hat, x[0], e_hat).score
    assert e_hat.dtype == x_hat.dtype == score.dtype == torch.float32


def test_biases_are_in_all_layers_of_e_and_d_and_in_the_generator_s_last(nets: Nets) -> None:
    """A norm takes away what a bias before it adds (docs/reference/deviations.md)."""
    for name, net in nets._asdict().items():
        layers = {
            place: layer.bias is not None
            for place, layer in net.named_modules()
            if isinstance(layer, SpectralConv2d | SpectralLinear)
        }
        assert len(layers) > 8
        biased = {place for place, bias in layers.items() if bias}
        attention = {place for place in layers if place.endswith((".query", ".key", ".value"))}
        assert attention
        expected = {"synthesis.to_rgb"} if name == "generator" else layers.keys() - attention
        assert biased == expected, name
