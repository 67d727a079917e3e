"""Lightning's strategy for several processes of a training run, and collectives between them:
dense ones, which NCCL and gloo both have.

Every process holds all weights, all of W and all optimiser states. They stay equal because every
process computes each update from the same gradients. With one process all of this is a no-op.
"""

from collections.abc import Iterable, Iterator

import torch
import torch.distributed as dist
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor, nn

from headmime.errors import HeadmimeError

BUCKET = 16 * 2**20
"""Numbers per all_reduce: 64 MB of float32."""
SUMMED = 2**20
"""Words per sum: torch copies them to int64, and this many fit a cache."""


class ManualDDPStrategy(DDPStrategy):
    """One externally launched process per device. Skips the DDP wrapper: `training_step` averages
    gradients explicitly, and no parameters or buffers are broadcast.
    """

    def configure_ddp(self) -> None:
        """Do not wrap the module."""


def world_size() -> int:
    """Number of processes of the run."""
    return dist.get_world_size() if dist.is_initialized() else 1


def all_gather(t: Tensor) -> Tensor:
    """Concatenate every process's t [B, ...] (equal shapes) in rank order: [processes * B, ...]."""
    if world_size() == 1:
        return t
    parts = [torch.empty_like(t) for _ in range(world_size())]
    dist.all_gather(parts, t.contiguous())
    return torch.cat(parts)


def mean_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes, in a few large all_reduce calls."""
    if world_size() == 1:
        return
    pending = []
    for gradients in _buckets(p.grad for p in parameters if p.grad is not None):
        flat = torch.cat([g.flatten() for g in gradients]).div_(world_size())
        pending.append((gradients, flat, dist.all_reduce(flat, async_op=True)))
    for gradients, flat, work in pending:
        work.wait()
        for g, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            g.copy_(mean.view(g.shape))


def mean_over_processes(t: Tensor) -> Tensor:
    """Return the mean of t (equal shapes) over processes."""
    if world_size() == 1:
        return t
    total = t / world_size()
    dist.all_reduce(total)
    return total


def min_over_processes(t: Tensor) -> Tensor:
    """Return the elementwise minimum of t (equal shapes) over processes."""
    if world_size() == 1:
        return t
    smallest = t.clone()
    dist.all_reduce(smallest, dist.ReduceOp.MIN)
    return smallest


def require_equal(state: dict[str, Tensor], remedy: str) -> None:
    """Raise HeadmimeError with ``remedy`` unless all processes hold the same tensors. Compares
    integer sums of their bits, which are exact.
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
    """Sum of the bits of t read as 32-bit integers (8-bit for small dtypes), an int64 scalar."""
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
