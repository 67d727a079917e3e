"""Networks that begin with the inner layers of smaller ones (an option, not in the paper).

A network for larger images has more layers outside; those inside work at the same resolutions as
the smaller network's. Layers are matched by kind, resolution and channels.

What is inherited computes the same. The whole does not give the smaller generator's images,
enlarged: the new outer layers cannot start as the identity. Spectral normalisation gives each of
their convolutions a largest gain of exactly 1, so that no residual branch can start at zero, and
the instance normalisation behind them rescales what they hand on. They are to be learnt first.
"""

from collections.abc import Sequence

import torch
from torch import nn

from headmime.errors import HeadmimeError
from headmime.nets import Nets
from headmime.nets.blocks import AdaptiveBlock, DownBlock
from headmime.nets.shape import ModelShape
from headmime.nets.spectral import CONSTRUCTION_ITERATIONS

Key = tuple[int, type, int, int]
"""Part of the network, kind of layer, resolution of its input, how many of these came before."""


@torch.no_grad()
def inherit(nets: Nets, shape: ModelShape, given: Nets, given_shape: ModelShape) -> list[str]:
    """Copy into ``nets`` what has a counterpart in ``given``; return the names of the parameters
    that are copied whole, as "embedder.layers.3.conv1.weight".

    The rows of P of inherited AdaIN blocks are copied and all its other rows set to 0, so that the
    new AdaINs begin as plain instance norms. P's spectral norm changes by what its other rows had;
    P, of which a part is new, is not among the names. Raises HeadmimeError where nothing fits.
    """
    if shape.embedding != given_shape.embedding:
        raise HeadmimeError(
            f"embeddings of {given_shape.embedding} numbers, not of model.max_width="
            f"{shape.embedding}: nothing can be inherited."
        )
    names = []
    psi = _psi_slices(nets.generator.synthesis), _psi_slices(given.generator.synthesis)
    P, given_P = nets.generator.projection, given.generator.projection
    P.weight.zero_()
    prefixes = {
        id(layer): f"{net}.{name}"
        for net, module in nets._asdict().items()
        for name, layer in module.named_modules()
    }
    for parts, given_parts in zip(_parts(nets), _parts(given), strict=True):
        sources = _layers(given_parts, given_shape.image_size)
        for key, layer in _layers(parts, shape.image_size).items():
            source = sources.get(key)
            if source is None or not _same_shapes(layer, source):
                continue
            layer.load_state_dict(source.state_dict())
            names += [f"{prefixes[id(layer)]}.{name}" for name, _ in layer.named_parameters()]
            if isinstance(layer, AdaptiveBlock):
                P.weight[psi[0][id(layer)]] = given_P.weight[psi[1][id(source)]]
    if not any(name.startswith("embedder") and ".conv" in name for name in names):
        raise HeadmimeError(
            f"channels {given_shape.down_channels()} at half of {given_shape.image_size} pixels and"
            f" below, and model has {shape.down_channels()} at half of {shape.image_size}: no layer"
            " can be inherited; choose model.width so that they agree."
        )
    nets.discriminator.w0.copy_(given.discriminator.w0)
    nets.discriminator.b.copy_(given.discriminator.b)
    for _ in range(CONSTRUCTION_ITERATIONS):
        P.power_iterate()
    return [*names, "discriminator.w0", "discriminator.b"]


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


def _parts(nets: Nets) -> Nets:
    """The lists of layers of each network, from the image on."""
    E, G, D = nets
    return Nets([E.layers], [G.synthesis.down, G.synthesis.same, G.synthesis.up], [D.v.layers])


def _psi_slices(synthesis: nn.Module) -> dict[int, slice]:
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
