"""Networks that begin with the layers of smaller ones (an option, not in the paper).

A network for larger images has more layers outside; those inside work at the same resolutions as
the smaller network's, and are matched by kind, resolution and channels.

The new outer layers of E and D hand the image on, halved, in their first channels, and the layer
behind them reads it there as the smaller network's first layer read its image: E and D begin with
the smaller networks' values of the halved image. So does the downsampling half of G, nearly.
Its upsampling half cannot: two narrower blocks stand for one, whose channels do not fit into them.
They begin anew, and are to be learnt first.
"""

from collections.abc import Sequence

import torch
from torch import nn

from headmime.errors import HeadmimeError
from headmime.nets import Nets
from headmime.nets.blocks import AdaptiveBlock, DownBlock, InstanceNorm
from headmime.nets.generator import Synthesis
from headmime.nets.shape import ModelShape
from headmime.nets.spectral import CONSTRUCTION_ITERATIONS, SpectralConv2d, SpectralLinear

OFFSET = 1.0
"""Added to images in [-1, 1] that E and D hand on, so that a ReLU leaves them as they are."""

DRAWING_DEVIATION = (0.20, 0.21, 0.16)
"""Of red, green and blue in a landmark drawing in [-1, 1]: means over 300 of sitters, 128x128."""

Key = tuple[int, type, int, int]
"""Part of the network, kind of layer, resolution of its input, how many of these came before."""


@torch.no_grad()
def inherit(nets: Nets, shape: ModelShape, given: Nets, given_shape: ModelShape) -> list[str]:
    """Let ``nets`` begin with what has a counterpart in ``given``; return the names of the
    parameters that are copied whole, as "embedder.layers.3.conv1.weight".

    The rows of P of inherited AdaIN blocks are copied and all its other rows set to 0, so that the
    new AdaINs begin as plain instance norms. P's spectral norm changes by what its other rows had;
    P, of which a part is new, is not among the names. Raises HeadmimeError where nothing fits.
    """
    if shape.embedding != given_shape.embedding:
        raise HeadmimeError(
            f"embeddings of {given_shape.embedding} numbers, not of model.max_width="
            f"{shape.embedding}: nothing can be inherited."
        )
    inherited: set[int] = {id(nets.discriminator.w0), id(nets.discriminator.b)}
    psi = _psi_slices(nets.generator.synthesis), _psi_slices(given.generator.synthesis)
    P, given_P = nets.generator.projection, given.generator.projection
    P.weight.zero_()
    for parts, given_parts in zip(_parts(nets), _parts(given), strict=True):
        layers = _layers(parts, shape.image_size)
        for key, source in _layers(given_parts, given_shape.image_size).items():
            layer = layers.get(key)
            if layer is None or not _same_shapes(layer, source):
                continue
            layer.load_state_dict(source.state_dict())
            inherited |= {id(parameter) for parameter in layer.parameters()}
            if isinstance(layer, AdaptiveBlock):
                P.weight[psi[0][id(layer)]] = given_P.weight[psi[1][id(source)]]
        first = given_parts[0][0]
        assert isinstance(first, DownBlock)
        inherited |= _image_handed_on(parts[0], first, shape, given_shape)
    names = [
        f"{net}.{name}"
        for net, module in nets._asdict().items()
        for name, parameter in module.named_parameters()
        if id(parameter) in inherited
    ]
    if not any(name.startswith("embedder") and ".conv" in name for name in names):
        raise HeadmimeError(
            f"channels {given_shape.down_channels()} at half of {given_shape.image_size} pixels and"
            f" below, and model has {shape.down_channels()} at half of {shape.image_size}: no layer"
            " can be inherited; choose model.width so that they agree."
        )
    nets.discriminator.w0.copy_(given.discriminator.w0)
    nets.discriminator.b.copy_(given.discriminator.b)
    _settle(P)
    return names


def _image_handed_on(
    layers: nn.ModuleList, first: DownBlock, shape: ModelShape, given_shape: ModelShape
) -> set[int]:
    """Let new outer blocks hand the image on to a block that works on it as ``first`` does; return
    the ids of the parameters that are copied whole. Nothing changes where the channels do not fit:
    the outer blocks need some beside the image's.
    """
    outer = (shape.image_size // given_shape.image_size).bit_length() - 1
    if outer < 1:
        return set()
    inputs = first.conv1.weight.shape[1]
    blocks = [layer for layer in layers if isinstance(layer, DownBlock)][: outer + 1]
    fits = blocks[-1].conv2.weight.shape == first.conv2.weight.shape
    if not fits or len(blocks[0].conv1.weight) <= inputs:
        return set()
    normed = not isinstance(first.norm2, nn.Identity)
    for block in blocks[:-1]:
        # the identity beside it, and other channels for what the convolutions find
        block.skip.weight.zero_()
        block.skip.weight[range(inputs), range(inputs)] = 1
        block.conv2.weight[:inputs] = 0
        for layer in (block.skip, block.conv2):
            _settle(layer)
            if layer.bias is not None:
                layer.bias[:inputs] = 0
        if not normed and block.first and block.skip.bias is not None:
            block.skip.bias[:inputs] = OFFSET
    block, offset = blocks[-1], (0.0 if normed else OFFSET)
    _widen(block.conv1, first.conv1, offset)
    _widen(block.skip, first.skip, offset)
    block.conv2.load_state_dict(first.conv2.state_dict())
    block.norm2.load_state_dict(first.norm2.state_dict())
    if isinstance(
        block.norm1, InstanceNorm
    ):  # undone but for the mean, which the next norm takes away; positive for the ReLU
        block.norm1.weight[:inputs] = torch.tensor(DRAWING_DEVIATION)
        block.norm1.bias[:inputs] = block.norm1.weight[:inputs]
    return {id(p) for layer in (block.conv2, block.norm2) for p in layer.parameters()}


def _widen(layer: SpectralConv2d, source: SpectralConv2d, offset: float) -> None:
    """Let ``layer`` give what ``source`` gives of an image, of that image plus ``offset`` in its
    first channels; the others begin at nothing. At the border the offset's padding differs.
    """
    inputs = source.weight.shape[1]
    v = torch.zeros_like(layer.weight[0])
    v[:inputs] = source.v.view(source.weight.shape[1:])
    layer.weight.zero_()
    layer.weight[:, :inputs] = source.weight
    layer.u.copy_(source.u)
    layer.v.copy_(v.flatten())
    if source.bias is not None and layer.bias is not None:
        layer.bias.copy_(source.bias - offset * source.normalised_weight().flatten(1).sum(1))


def _settle(layer: SpectralConv2d | SpectralLinear) -> None:
    """u and v of a weight that was set by hand."""
    for _ in range(CONSTRUCTION_ITERATIONS):
        layer.power_iterate()


def _layers(parts: Sequence[nn.ModuleList], size: int) -> dict[Key, nn.Module]:
    """The layers of a network for images of ``size`` pixels, but for the one at the image."""
    found: dict[Key, nn.Module] = {}
    resolution = size
    for k, part in enumerate(parts):
        for layer in part:
            same = sum((k, type(layer), resolution) == key[:3] for key in found)
            if not (isinstance(layer, DownBlock) and layer.first):
                found[k, type(layer), resolution, same] = layer
            if isinstance(layer, DownBlock):
                resolution //= 2
            elif isinstance(layer, AdaptiveBlock) and layer.up:
                resolution *= 2
    return found


def _parts(nets: Nets) -> list[list[nn.ModuleList]]:
    """The lists of layers of each network, from the image on."""
    E, G, D = nets
    return [[E.layers], [G.synthesis.down, G.synthesis.same, G.synthesis.up], [D.v.layers]]


def _psi_slices(synthesis: Synthesis) -> dict[int, slice]:
    """Which rows of P are whose, by the block's id."""
    slices, start = {}, 0
    for block in (*synthesis.same, *synthesis.up):
        if isinstance(block, AdaptiveBlock):
            slices[id(block)] = slice(start, start + block.n_psi)
            start += block.n_psi
    return slices


def _same_shapes(layer: nn.Module, source: nn.Module) -> bool:
    a, b = layer.state_dict(), source.state_dict()
    return a.keys() == b.keys() and all(a[name].shape == b[name].shape for name in a)
