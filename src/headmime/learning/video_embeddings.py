"""W: one embedding (row) per training video, with a sparse Adam for the rows of the batch."""

import numpy as np
import torch
from torch import Tensor, nn

UNTOUCHED = -1


class VideoEmbeddings(nn.Module):
    """The paper's columns W_i as rows [M, N] of a buffer; a step costs the same for any M.

    A row is initialised with its video's embedding in its first batch. (Initialised near 0, L_MCH
    pulled all embeddings to 0: they were equal after 100 updates.)

    Adam with beta1 = 0 does not change a row without gradient, so only the rows of the batch are
    updated. A row's second moment is first multiplied by beta2^(missed updates), as in dense Adam.

    Every process holds all rows. They stay equal because all processes pass the gathered rows i,
    embeddings and gradients of all processes, in the same order.
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
        """Return the rows i [B] as a leaf [B, N]; pass its gradient to :meth:`update`."""
        return self.W[i].requires_grad_()

    @torch.no_grad()
    def start_from(self, i: Tensor, e_hat: Tensor) -> None:
        """Set those of the rows i [B] that were never updated to their embeddings e_hat [B, N]; a
        row that occurs twice to its first embedding.
        """
        fresh = (self.touched[i] == UNTOUCHED)[:, None]
        first = _equal_rows(i).to(torch.uint8).argmax(dim=1)
        self.W[i] = torch.where(fresh, e_hat[first].to(self.W.dtype), self.W[i])

    @torch.no_grad()
    def update(self, i: Tensor, gradient: Tensor) -> None:
        """One Adam step on the rows i [B] with gradients [B, N], which add up for rows that occur
        twice.
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
    """Replaces W where it is omitted (an ablation): every row is 0, so D is V^T w0 + b."""

    row: Tensor

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.register_buffer("row", torch.zeros(1, embedding), persistent=False)

    def fetch(self, i: Tensor) -> Tensor:
        """Return zeros [B, N] for the rows i [B]."""
        return self.row.repeat(len(i), 1).requires_grad_()

    def start_from(self, i: Tensor, e_hat: Tensor) -> None:
        """Do nothing: the rows stay 0."""

    def update(self, i: Tensor, gradient: Tensor) -> None:
        """Do nothing: the rows stay 0."""


def _equal_rows(i: Tensor) -> Tensor:
    """Mask of equal entries of i [B], bool [B, B].

    With it, all entries for one row compute the same new value, so the order of writes does not
    matter: deterministic on every process and without synchronisation, unlike `unique` or atomics.
    """
    return i[:, None] == i


def _zeros(rows: int, embedding: int) -> Tensor:
    """Zeros [rows, embedding] whose memory is allocated on first write, so a million rows cost
    nothing at construction.
    """
    return torch.from_numpy(np.zeros((rows, embedding), np.float32)).to(torch.get_default_device())
