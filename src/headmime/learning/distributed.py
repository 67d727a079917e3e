"""What the processes of one training run exchange: dense collectives that NCCL and gloo both have.

Every process holds all weights, all of W, and the state of all optimisers. They stay equal because
each update is computed from the same gradients everywhere. With one process nothing is exchanged.
"""

from collections.abc import Iterable, Iterator

import torch
import torch.distributed as dist
from torch import Tensor, nn

from headmime.errors import HeadmimeError

BUCKET = 16 * 2**20
"""Numbers that travel in one all_reduce: 64 MB of float32."""
SUMMED = 2**20
"""Words added up at once, since torch makes a copy of them as int64; this many stay in a cache."""


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def all_gather(t: Tensor) -> Tensor:
    """Return [processes * B, ...]: every process's t [B, ...], in their order; shapes are equal."""
    if world_size() == 1:
        return t
    parts = [torch.empty_like(t) for _ in range(world_size())]
    dist.all_gather(parts, t.contiguous())
    return torch.cat(parts)


def mean_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes, in a few large all_reduce calls."""
    if world_size() == 1:
        return
    under_way = []
    for gradients in _buckets(p.grad for p in parameters if p.grad is not None):
        flat = torch.cat([g.flatten() for g in gradients]).div_(world_size())
        under_way.append((gradients, flat, dist.all_reduce(flat, async_op=True)))
    for gradients, flat, work in under_way:
        work.wait()
        for g, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            g.copy_(mean.view(g.shape))


def mean_over_processes(t: Tensor) -> Tensor:
    """Return the mean of the processes' t, of equal shapes."""
    if world_size() == 1:
        return t
    total = t / world_size()
    dist.all_reduce(total)
    return total


def min_over_processes(t: Tensor) -> Tensor:
    """Return the smallest of the processes' t, element by element."""
    if world_size() == 1:
        return t
    smallest = t.clone()
    dist.all_reduce(smallest, dist.ReduceOp.MIN)
    return smallest


def require_equal(state: dict[str, Tensor], remedy: str) -> None:
    """Raise HeadmimeError, with ``remedy``, unless all processes hold the same tensors (sums of
    their bits, which are exact, are compared).
    """
    if world_size() == 1:
        return
    sums = torch.stack([sum_of_bits(t) for t in state.values()])
    equal = min_over_processes(sums) == -min_over_processes(-sums)
    different = [name for name, same in zip(state, equal.tolist(), strict=True) if not same]
    if different:
        raise HeadmimeError(
            f"The processes hold different values of {different[0]} ({len(different)} of "
            f"{len(state)} tensors differ): {remedy}"
        )


def sum_of_bits(t: Tensor) -> Tensor:
    """The bits of t as integers of 32 (of small dtypes: 8), added up as an int64 scalar."""
    words = t.reshape(-1).view(torch.int32 if t.element_size() % 4 == 0 else torch.uint8)
    return torch.stack([part.sum() for part in words.split(SUMMED)]).sum()


def _buckets(gradients: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Lists of consecutive gradients with about BUCKET numbers each."""
    bucket: list[Tensor] = []
    for g in gradients:
        bucket.append(g)
        if sum(t.numel() for t in bucket) >= BUCKET:
            yield bucket
            bucket = []
    if bucket:
        yield bucket
