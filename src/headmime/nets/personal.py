"""A person's networks, initialised from the meta-learned ones (paper section 3.3, Eq. 7-9).

Weights and spectral buffers are copied, not shared.
"""

from copy import deepcopy
from typing import NamedTuple

from torch import Tensor, nn

from headmime.nets.discriminator import Discriminator, Features, Judgement, realism
from headmime.nets.generator import Generator, Synthesis


class PersonalGenerator(nn.Module):
    """G'(y; psi, psi'): person-generic weights psi and one person's AdaIN parameters psi' [A], both
    trainable.
    """

    def __init__(self, synthesis: Synthesis, psi: Tensor) -> None:
        super().__init__()
        self.synthesis = synthesis
        self.psi = nn.Parameter(psi)

    def forward(self, y: Tensor) -> Tensor:
        """Return x_hat = G'(y; psi, psi') (Eq. 8) [B, 3, S, S] for drawings y [B, 3, S, S] in [-1,
        1].
        """
        return self.synthesis(y, self.psi.expand(len(y), -1))


class PersonalDiscriminator(nn.Module):
    """D'(x, y; theta, w', b)."""

    def __init__(self, v: Features, w: Tensor, b: Tensor) -> None:
        super().__init__()
        self.v = v
        self.w = nn.Parameter(w)
        self.b = nn.Parameter(b)

    def forward(self, x: Tensor, y: Tensor) -> Judgement:
        """Return D'(x, y) = V(x, y)^T w' + b (Eq. 9) for x, y [B, 3, S, S] in [-1, 1]."""
        v, features = self.v(x, y)
        return Judgement(realism(v, self.w, self.b), features)


class Personal(NamedTuple):
    """One person's generator and discriminator."""

    generator: PersonalGenerator
    discriminator: PersonalDiscriminator


def personalise(generator: Generator, discriminator: Discriminator, e_hat: Tensor) -> Personal:
    """Return new networks for the person with embedding e_hat [N]: psi' = P e_hat and w' = w0 +
    e_hat.

    Before any update G'(y) = G(y, e_hat) and w' = w0 + e_hat, bit for bit.
    """
    psi = generator.project(e_hat[None])[0].detach().clone()
    w = (discriminator.w0 + e_hat).detach().clone()
    return Personal(
        PersonalGenerator(deepcopy(generator.synthesis), psi),
        PersonalDiscriminator(deepcopy(discriminator.v), w, discriminator.b.detach().clone()),
    )
