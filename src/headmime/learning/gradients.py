"""The optimiser, and freezing a network's parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


def adam(groups: list[dict[str, Any]], beta2: float, eps: float) -> torch.optim.Adam:
    """Fused Adam with beta1 = 0 for groups of ``params`` with an ``lr`` each.

    Each update clears autocast's cache: its region spans several updates of D, and it would
    otherwise reuse half-precision copies of the old weights.
    """
    optimizer = torch.optim.Adam(groups, betas=(0.0, beta2), eps=eps, fused=True)
    optimizer.register_step_post_hook(lambda *_: torch.clear_autocast_cache())
    return optimizer


def gradient_of(leaf: torch.Tensor) -> torch.Tensor:
    """What backward passes have left in it."""
    assert leaf.grad is not None
    return leaf.grad


@contextmanager
def freeze(net: nn.Module) -> Iterator[None]:
    """Inside this context ``net``'s parameters need no gradient; gradient still flows to inputs."""
    net.requires_grad_(False)
    try:
        yield
    finally:
        net.requires_grad_(True)
