"""W: one row per training video, and an Adam of its own that touches only the rows of the batch."""

import torch
from torch import Tensor, nn

UNTOUCHED = -1


class Rows(nn.Module):
    """The columns W_i of the paper, kept as rows [M, N] of a buffer, so that a step costs the same
    for any M.

    A row starts at the embedding of its video when its first batch comes. (Started near 0, L_MCH
    drags every embedding there: within 100 updates they were all the same.)

    Adam with beta1 = 0 does not move a row without gradient, so only the touched rows are updated;
    a row's second moment is first decayed by beta2 to the number of updates it has missed, which is
    what dense Adam would have done.
    """

    W: Tensor
    second_moment: Tensor
    touched: Tensor
    updates: Tensor

    def __init__(self, rows: int, embedding: int, *, lr: float, beta2: float, eps: float) -> None:
        super().__init__()
        self.lr, self.beta2, self.eps = lr, beta2, eps
        self.register_buffer("W", torch.zeros(rows, embedding))
        self.register_buffer("second_moment", torch.zeros(rows, embedding))
        self.register_buffer("touched", torch.full((rows,), UNTOUCHED))
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def fetch(self, i: Tensor) -> Tensor:
        """Return the rows i [B] as a leaf [B, N] that gathers gradient for :meth:`update`."""
        return self.W[i].requires_grad_()

    @torch.no_grad()
    def start_from(self, i: Tensor, e_hat: Tensor) -> None:
        """Set the rows among i [B] that no update has touched to their embeddings e_hat [B, N]."""
        fresh = (self.touched[i] == UNTOUCHED)[:, None]
        self.W[i] = torch.where(fresh, e_hat.detach().to(self.W.dtype), self.W[i])

    @torch.no_grad()
    def update(self, i: Tensor, gradient: Tensor) -> None:
        """One Adam step on the rows i [B] with their gradients [B, N]; a row named twice gets the
        sum.
        """
        unique, position = i.unique(return_inverse=True)
        g = torch.zeros(len(unique), gradient.shape[1], dtype=self.W.dtype, device=self.W.device)
        g.index_add_(0, position, gradient.to(g.dtype))
        self.updates += 1
        last = torch.where(self.touched[unique] == UNTOUCHED, self.updates, self.touched[unique])
        gap = (self.updates - last).clamp(min=1).to(g.dtype)
        v = self.second_moment[unique] * (self.beta2**gap)[:, None] + (1 - self.beta2) * g * g
        correction = 1 - self.beta2 ** self.updates.to(g.dtype)
        self.W[unique] -= self.lr * g / ((v / correction).sqrt() + self.eps)
        self.second_moment[unique] = v
        self.touched[unique] = self.updates
