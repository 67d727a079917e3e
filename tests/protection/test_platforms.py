"""The differentiable stand-ins beside real codecs."""

import numpy as np
import pytest
import torch
from torch import Tensor

from headmime.data.image_reader import read_image
from headmime.protection.platforms import blur, half_size, jpeg
from headmime.studies.protection import platforms as real


@pytest.fixture(scope="module")
def image(mona_lisa) -> np.ndarray:
    """A part whose sides are no multiples of 16, so that blocks are filled up."""
    return read_image(mona_lisa)[100:290, 90:301]


def as_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image).movedim(-1, 0)[None].float()


def as_image(x: Tensor) -> np.ndarray:
    return x[0].movedim(0, -1).numpy()


@pytest.mark.parametrize("quality", [60, 75, 95])
def test_jpeg_is_the_codec_s(image, quality):
    ours = as_image(jpeg(as_tensor(image), quality))
    theirs = real.jpeg(image, quality).astype(np.float32)
    # decoders round twice more, and differ in how they enlarge the colours
    assert np.abs(ours - theirs).mean() < 0.25 * np.abs(image - theirs).mean() + 0.5


def test_jpeg_passes_its_gradient_on(image):
    x = as_tensor(image).requires_grad_()
    jpeg(x, 75).sum().backward()
    assert x.grad is not None
    # the sum of an inner pixel's weights: colours are averaged, not lost
    assert x.grad[0, :, 50:60, 50:60].mean().item() == pytest.approx(1, abs=0.05)


def test_half_size_is_the_real_one_but_for_bicubic_enlarging(image):
    square = image[:188, :188]
    ours = as_image(half_size(as_tensor(square)))
    assert np.abs(ours - real.half_size(square)).mean() < 2


@pytest.mark.parametrize("change", [blur, half_size, lambda x: jpeg(x, 60)])
def test_a_plain_image_stays(change):
    x = torch.full((1, 3, 32, 48), 128.0)
    torch.testing.assert_close(change(x), x, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", real.PLATFORMS)
def test_platforms_keep_shape_and_likeness(image, name):
    square = np.ascontiguousarray(image[:180, :180])
    out = real.PLATFORMS[name](square)
    assert out.shape == square.shape and out.dtype == np.uint8
    assert np.abs(out.astype(int) - square).mean() < 12  # cracked varnish is blurred
