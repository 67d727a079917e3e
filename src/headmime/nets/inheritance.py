"""Initialises networks with the layers of networks for smaller images (not in the paper).

A network for larger images has additional outer layers; its inner layers work at the resolutions of
the smaller network and are matched by kind, resolution and channels.

The new outer layers of E and D copy the image, downsampled 2x, to their first channels; the next
layer reads it there with the weights of the smaller network's first layer. E and D thus initially
compute the smaller networks' values of the downsampled image; the downsampling half of G
approximately so. In G's upsampling half two narrower blocks replace one with other channels: they
are initialised randomly and should be trained first.
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
"""Added to images in [-1, 1] that E and D pass through new layers, so that ReLUs are identities."""

DRAWING_DEVIATION = (0.20, 0.21, 0.16)
"""Standard deviation of red, green and blue in landmark drawings in [-1, 1]: means over 300
drawings of sitters, 128x128.
"""

Key = tuple[int, type, int, int]
"""Index of the layer list, layer type, input resolution, index among equal layers."""


@torch.no_grad()
def inherit(nets: Nets, shape: ModelShape, smaller: Nets, smaller_shape: ModelShape) -> list[str]:
    """Copy the layers of ``smaller`` that have a counterpart in ``nets``; return the names of the
    fully copied parameters, such as "embedder.layers.3.conv1.weight".

    The rows of P of inherited AdaIN blocks are copied and its other rows set to 0, so that new
    AdaINs start as plain instance norms. P's spectral norm changes with the removed rows; P, being
    partly new, is not among the names. HeadmimeError if no layer matches.
    """
    if shape.embedding != smaller_shape.embedding:
        raise HeadmimeError(
            f"embeddings of {smaller_shape.embedding} numbers, not of model.max_width="
            f"{shape.embedding}: nothing can be inherited."
        )
    inherited: set[int] = {id(nets.discriminator.w0), id(nets.discriminator.b)}
    psi = _psi_slices(nets.generator.synthesis), _psi_slices(smaller.generator.synthesis)
    P, smaller_P = nets.generator.projection, smaller.generator.projection
    P.weight.zero_()
    for parts, smaller_parts in zip(_parts(nets), _parts(smaller), strict=True):
        layers = _layers(parts, shape.image_size)
        for key, source in _layers(smaller_parts, smaller_shape.image_size).items():
            layer = layers.get(key)
            if layer is None or not _same_shapes(layer, source):
                continue
            layer.load_state_dict(source.state_dict())
            inherited |= {id(parameter) for parameter in layer.parameters()}
            if isinstance(layer, AdaptiveBlock):
                P.weight[psi[0][id(layer)]] = smaller_P.weight[psi[1][id(source)]]
        first = smaller_parts[0][0]
        assert isinstance(first, DownBlock)
        inherited |= _image_handed_on(parts[0], first, shape, smaller_shape)
    names = [
        f"{net}.{name}"
        for net, module in nets._asdict().items()
        for name, parameter in module.named_parameters()
        if id(parameter) in inherited
    ]
    if not any(name.startswith("embedder") and ".conv" in name for name in names):
        raise HeadmimeError(
            f"channels {smaller_shape.down_channels()} at half of {smaller_shape.image_size} pixels"
            f" and below, and model has {shape.down_channels()} at half of {shape.image_size}: no"
            " layer can be inherited; choose model.width so that they agree."
        )
    nets.discriminator.w0.copy_(smaller.discriminator.w0)
    nets.discriminator.b.copy_(smaller.discriminator.b)
    _settle(P)
    return names


def _image_handed_on(
    layers: nn.ModuleList, first: DownBlock, shape: ModelShape, smaller_shape: ModelShape
) -> set[int]:
    """Initialise new outer blocks to pass the image through, to a block that computes what
    ``first`` does; return the ids of the fully copied parameters. No-op where channels do not
    match: the outer blocks need more channels than the image.
    """
    outer = (shape.image_size // smaller_shape.image_size).bit_length() - 1
    if outer < 1:
        return set()
    inputs = first.conv1.weight.shape[1]
    blocks = [layer for layer in layers if isinstance(layer, DownBlock)][: outer + 1]
    fits = blocks[-1].conv2.weight.shape == first.conv2.weight.shape
    if not fits or len(blocks[0].conv1.weight) <= inputs:
        return set()
    normed = not isinstance(first.norm2, nn.Identity)
    for block in blocks[:-1]:
        # identity in the skip connection; the convolutions write to the other channels
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
    if isinstance(block.norm1, InstanceNorm):
        # inverts the norm except for the mean, which the next norm removes; > 0 for ReLU
        block.norm1.weight[:inputs] = torch.tensor(DRAWING_DEVIATION)
        block.norm1.bias[:inputs] = block.norm1.weight[:inputs]
    return {id(p) for layer in (block.conv2, block.norm2) for p in layer.parameters()}


def _widen(layer: SpectralConv2d, source: SpectralConv2d, offset: float) -> None:
    """Set ``layer`` to compute source(image) from image + ``offset`` in its first channels; weights
    of other channels are 0. Inexact at the border, where padding lacks the offset.
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
    """Recompute u and v after the weight was overwritten."""
    for _ in range(CONSTRUCTION_ITERATIONS):
        layer.power_iterate()


def _layers(parts: Sequence[nn.ModuleList], size: int) -> dict[Key, nn.Module]:
    """The layers of a network for images of ``size`` pixels, except the first."""
    layers: dict[Key, nn.Module] = {}
    resolution = size
    for k, part in enumerate(parts):
        for layer in part:
            same = sum((k, type(layer), resolution) == key[:3] for key in layers)
            if not (isinstance(layer, DownBlock) and layer.first):
                layers[k, type(layer), resolution, same] = layer
            if isinstance(layer, DownBlock):
                resolution //= 2
            elif isinstance(layer, AdaptiveBlock) and layer.up:
                resolution *= 2
    return layers


def _parts(nets: Nets) -> list[list[nn.ModuleList]]:
    """The lists of layers of each network, starting at the image."""
    E, G, D = nets
    return [[E.layers], [G.synthesis.down, G.synthesis.same, G.synthesis.up], [D.v.layers]]


def _psi_slices(synthesis: Synthesis) -> dict[int, slice]:
    """The rows of P of each AdaIN block, by the block's id."""
    slices, start = {}, 0
    for block in (*synthesis.same, *synthesis.up):
        if isinstance(block, AdaptiveBlock):
            slices[id(block)] = slice(start, start + block.n_psi)
            start += block.n_psi
    return slices


def _same_shapes(layer: nn.Module, source: nn.Module) -> bool:
    a, b = layer.state_dict(), source.state_dict()
    return a.keys() == b.keys() and all(a[name].shape == b[name].shape for name in a)
