"""Other starts for fine-tuning than the person's own embedding (claim C5).

Eq. 8 and 9 start psi' at P e_hat_NEW and w' at w0 + e_hat_NEW. With another embedding in the place
of e_hat_NEW everything else of fine-tuning stays as it is.
"""

import torch
from torch import Tensor, nn

from headmime.nets import Nets

OWN = "own"
STARTS = (OWN, "average", "random")


class FixedEmbedding(nn.Module):
    """Stands for the embedder: the embedding e [N], whoever is shown."""

    def __init__(self, e: Tensor) -> None:
        super().__init__()
        self.e = nn.Parameter(e, requires_grad=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return e for each of x [B, K, 3, S, S], as [B, N]."""
        return self.e.expand(len(x), -1)


def with_fixed_embedding(e: Tensor, nets: Nets) -> Nets:
    """The same networks, for which everybody's embedding is e [N]: fine-tuning starts there."""
    return nets._replace(embedder=FixedEmbedding(e))


def average_embedding(embeddings: Tensor) -> Tensor:
    """The mean [N] over people [M, N]."""
    return embeddings.mean(0)


def random_embedding(embeddings: Tensor, seed: int) -> Tensor:
    """Nobody's embedding [N], of the usual size: each number is that of one of the people [M, N],
    drawn anew for every number.
    """
    M, N = embeddings.shape
    people = torch.randint(M, (N,), generator=torch.Generator().manual_seed(seed))
    return embeddings[people, torch.arange(N)]
