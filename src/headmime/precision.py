"""The dtype of sums, scores and losses."""

import torch
from torch import Tensor


def at_least_float32(t: Tensor) -> Tensor:
    """Return t in float32 if it is of half precision; float64 stays float64."""
    return t.to(torch.promote_types(t.dtype, torch.float32))
