"""The paper's three networks, and the fine-tuned networks of one person."""

from typing import NamedTuple

from headmime.nets.discriminator import Discriminator
from headmime.nets.embedder import Embedder
from headmime.nets.generator import Generator
from headmime.nets.shape import ModelShape


class Nets(NamedTuple):
    """The meta-learned networks: E with phi, G with psi and P, D with theta, w0 and b."""

    embedder: Embedder
    generator: Generator
    discriminator: Discriminator


def build_nets(shape: ModelShape) -> Nets:
    """Build the networks with weights initialised from torch's random state."""
    return Nets(Embedder(shape), Generator(shape), Discriminator(shape))
