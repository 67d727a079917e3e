"""W: one row per training video, and an Adam of its own that touches only the rows of the batch."""

import numpy as np
import torch
from torch import Tensor, nn

UNTOUCHED = -1


class VideoEmbeddings(nn.Module):
    """The columns W_i of the paper, kept as rows [M, N] of a buffer, so that a step costs the same
    for any M.

    A row starts at the embedding of its video when its first batch comes. (Started near 0, L_MCH
    drags every embedding there: within 100 updates they were all the same.)

    Adam with beta1 = 0 does not move a row without gradient, so only the touched rows are updated;
    a row's second moment is first decayed by beta2 to the number of updates it has missed, which is
    what dense Adam would have done.

    Every process holds all rows. They stay equal because all processes hand in the same rows i,
    embeddings and gradients: those of all processes, in the same order.
    """

    W: Tensor
    second_moment: Tensor
    touched: Tensor
    updates: Tensor

    def __init__(self, rows: int, embedding: int, *, lr: float, beta2: float, eps: float) -> None:
        super().__init__()
        self.lr, self.beta2, self.eps = lr, beta2, eps
        self.register_buffer("W", _zeros(rows, embedding))
        self.register_buffer("second_moment", _zeros(rows, embedding))
        self.register_buffer("touched", torch.full((rows,), UNTOUCHED))
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def fetch(self, i: Tensor) -> Tensor:
        """Return the rows i [B] as a leaf [B, N] that gathers gradient for :meth:`update`."""
        return self.W[i].requires_grad_()

    @torch.no_grad()
    def start_from(self, i: Tensor, e_hat: Tensor) -> None:
        """Set the rows among i [B] that no update has touched to their embeddings e_hat [B, N]; a
        row named twice to its first.
        """
        fresh = (self.touched[i] == UNTOUCHED)[:, None]
        first = _equal_rows(i).to(torch.uint8).argmax(dim=1)
        self.W[i] = torch.where(fresh, e_hat[first].to(self.W.dtype), self.W[i])

    @torch.no_grad()
    def update(self, i: Tensor, gradient: Tensor) -> None:
        """One Adam step on the rows i [B] with their gradients [B, N]; a row named twice gets the
        sum.
        """
        with torch.autocast(self.W.device.type, enabled=False):
            g = _equal_rows(i).to(self.W.dtype) @ gradient.to(self.W.dtype)
        self.updates += 1
        last = torch.where(self.touched[i] == UNTOUCHED, self.updates, self.touched[i])
        gap = (self.updates - last).clamp(min=1).to(g.dtype)
        v = self.second_moment[i] * (self.beta2**gap)[:, None] + (1 - self.beta2) * g * g
        correction = 1 - self.beta2 ** self.updates.to(g.dtype)
        self.W[i] -= self.lr * g / ((v / correction).sqrt() + self.eps)
        self.second_moment[i] = v
        self.touched[i] = self.updates


class NoVideoEmbeddings(nn.Module):
    """Stands where W is left out (an ablation): every row is 0 and stays so; D is V^T w0 + b."""

    row: Tensor

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.register_buffer("row", torch.zeros(1, embedding), persistent=False)

    def fetch(self, i: Tensor) -> Tensor:
        """Return zeros [B, N] for the rows i [B]."""
        return self.row.repeat(len(i), 1).requires_grad_()

    def start_from(self, i: Tensor, e_hat: Tensor) -> None:
        """Leave the rows at 0."""

    def update(self, i: Tensor, gradient: Tensor) -> None:
        """Leave the rows at 0."""


def _equal_rows(i: Tensor) -> Tensor:
    """Return which of the places of i [B] name the same row, bool [B, B].

    With it, places that name one row all compute that row's new value, and it does not matter which
    of them is written: unlike `unique` and atomic sums, the same on every process, without waiting.
    """
    return i[:, None] == i


def _zeros(rows: int, embedding: int) -> Tensor:
    """Zeros for which the system finds memory when they are touched: a million rows cost nothing
    at once.
    """
    return torch.from_numpy(np.zeros((rows, embedding), np.float32)).to(torch.get_default_device())
