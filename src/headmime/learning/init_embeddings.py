"""Initial embeddings for fine-tuning other than the person's own (claim C5).

Eq. 8 and 9 start psi' at P e_hat_NEW and w' at w0 + e_hat_NEW. Another embedding replaces
e_hat_NEW; the rest of fine-tuning is unchanged.
"""

import torch
from torch import Tensor, nn

from headmime.nets import Nets

OWN = "own"
STARTS = (OWN, "average", "random")


class FixedEmbedding(nn.Module):
    """Replaces the embedder: returns the same embedding e [N] for any input."""

    def __init__(self, e: Tensor) -> None:
        super().__init__()
        self.e = nn.Parameter(e, requires_grad=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return e for each of x [B, K, 3, S, S], as [B, N]."""
        return self.e.expand(len(x), -1)


def with_fixed_embedding(e: Tensor, nets: Nets) -> Nets:
    """The same networks with an embedder that always returns e [N]: fine-tuning starts at e."""
    return nets._replace(embedder=FixedEmbedding(e))


def average_embedding(embeddings: Tensor) -> Tensor:
    """The mean [N] over people [M, N]."""
    return embeddings.mean(0)


def random_embedding(embeddings: Tensor, seed: int) -> Tensor:
    """An embedding [N] of no real person with realistic statistics: each component is copied from a
    randomly drawn person of [M, N].
    """
    M, N = embeddings.shape
    people = torch.randint(M, (N,), generator=torch.Generator().manual_seed(seed))
    return embeddings[people, torch.arange(N)]
