import pytest
import torch
from torch import nn

from headmime.nets import Nets
from headmime.nets.personal import personalise
from headmime.nets.spectral import (
    SpectralConv2d,
    SpectralLinear,
    normalised_once,
    power_iterate,
)


def test_sigma_approaches_the_largest_singular_value() -> None:
    torch.manual_seed(0)
    layer = SpectralLinear(6, 4, bias=False)
    layer.weight.data = torch.diag(torch.tensor([5.0, 3.0, 2.0, 1.0])) @ torch.eye(4, 6)
    for _ in range(50):
        power_iterate(layer)
    assert torch.linalg.matrix_norm(layer.normalised_weight(), 2).item() == pytest.approx(1.0)
    torch.testing.assert_close(layer(torch.eye(6)[:1]), torch.tensor([[1.0, 0.0, 0.0, 0.0]]))


def test_the_forward_pass_moves_nothing() -> None:
    layer = SpectralConv2d(2, 3, 3).train()
    x = torch.randn(1, 2, 5, 5)
    before = [b.clone() for b in layer.buffers()]
    first, second = layer(x), layer(x)
    assert torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip(before, layer.buffers(), strict=True))


def test_vectors_stay_float32_under_autocast() -> None:
    layer = SpectralConv2d(2, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        power_iterate(layer)
        assert layer.normalised_weight().dtype == torch.float32
        assert layer(torch.randn(1, 2, 5, 5)).dtype == torch.bfloat16
    assert layer.u.dtype == layer.v.dtype == torch.float32


def test_every_convolution_and_linear_layer_is_spectral_and_nothing_else(nets: Nets) -> None:
    person = personalise(nets.generator, nets.discriminator, torch.rand(8))
    for net in (*nets, *person):
        assert not [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert isinstance(nets.generator.projection, SpectralLinear)
    plain = {
        name
        for net in (nets.discriminator, person.generator, person.discriminator)
        for name, _ in net.named_parameters(recurse=False)
    }
    assert plain == {"w0", "b", "psi", "w"}  # W is no parameter of a network at all


def test_sigma_is_differentiated() -> None:
    torch.manual_seed(0)
    layer = SpectralConv2d(2, 3, 3, bias=False).double()
    plain = layer.weight / torch.dot(layer.u, layer.weight.flatten(1) @ layer.v)
    torch.testing.assert_close(layer.normalised_weight(), plain)
    g = torch.randn_like(plain)
    (ours,) = torch.autograd.grad(layer.normalised_weight(), layer.weight, g)
    (autograd,) = torch.autograd.grad(plain, layer.weight, g)
    torch.testing.assert_close(ours, autograd)


def test_normalising_once_changes_neither_outputs_nor_gradients() -> None:
    torch.manual_seed(0)
    layer, x = SpectralConv2d(2, 3, 3).double(), torch.randn(2, 1, 2, 5, 5).double()
    for one in x:
        layer(one).square().sum().backward()
    apart = [p.grad.clone() for p in layer.parameters()]
    layer.zero_grad()
    with normalised_once(layer):
        for one in x:
            layer(one).square().sum().backward()
    for parameter, gradient in zip(layer.parameters(), apart, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_a_layer_normalised_once_can_be_frozen_and_follows_its_weight_afterwards() -> None:
    layer, x = SpectralConv2d(2, 3, 3), torch.randn(1, 2, 5, 5, requires_grad=True)
    with normalised_once(layer):
        layer.requires_grad_(False)
        layer(x).sum().backward()
        layer.requires_grad_(True)
    assert layer.weight.grad is None
    assert x.grad is not None
    before = layer(x)
    layer.weight.data.copy_(layer.weight.flip(2))
    assert not torch.equal(layer(x), before)
