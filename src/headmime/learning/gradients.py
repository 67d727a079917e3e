"""Who receives gradient."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(net: nn.Module) -> Iterator[None]:
    """Inside, ``net`` computes with constants: gradient passes to its inputs and costs nothing for
    its weights.
    """
    net.requires_grad_(False)
    try:
        yield
    finally:
        net.requires_grad_(True)
