import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from headmime.nets.folding import WIDEST, conv_then_pool, upsample_then_conv

sides = st.tuples(st.integers(1, 5), st.integers(1, 5))
channels = st.integers(1, 4)


def seeded(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64)


@given(sides=sides, inputs=channels, outputs=channels)
def test_a_convolution_and_pooling_fold_into_one(
    sides: tuple[int, int], inputs: int, outputs: int
) -> None:
    h = seeded(2, inputs, 2 * sides[0], 2 * sides[1])
    weight, bias = seeded(outputs, inputs, 3, 3), seeded(outputs)
    apart = F.avg_pool2d(F.conv2d(h, weight, bias, padding=1), 2)
    torch.testing.assert_close(conv_then_pool(h, weight, bias), apart)


@given(sides=sides, inputs=channels, outputs=channels)
def test_enlarging_and_a_convolution_fold_into_one(
    sides: tuple[int, int], inputs: int, outputs: int
) -> None:
    h, weight = seeded(2, inputs, *sides), seeded(outputs, inputs, 3, 3)
    apart = F.conv2d(F.interpolate(h, scale_factor=2), weight, padding=1)
    torch.testing.assert_close(upsample_then_conv(h, weight), apart)


def test_wide_layers_compute_the_same() -> None:
    torch.manual_seed(0)
    h, weight = seeded(1, WIDEST + 1, 2, 2), seeded(2, WIDEST + 1, 3, 3)
    apart = F.avg_pool2d(F.conv2d(h, weight, padding=1), 2)
    torch.testing.assert_close(conv_then_pool(h, weight, None), apart)


@pytest.mark.parametrize("fold", [lambda h, w: conv_then_pool(h, w, None), upsample_then_conv])
def test_gradients_pass_through(fold) -> None:
    torch.manual_seed(0)
    h, weight = seeded(1, 2, 4, 4).requires_grad_(), seeded(3, 2, 3, 3).requires_grad_()
    assert torch.autograd.gradcheck(fold, (h, weight))
