"""warp, initialised without messages, on the CPU by default; and conversions to its types."""

import os

import numpy as np
import warp as wp
from numpy.typing import NDArray

__all__ = ["to_warp", "vec3", "wp"]


def to_warp(values: NDArray, dtype: type) -> wp.array:
    """Copy an array to a warp array of `dtype`, whose components are the last axis."""
    return wp.array(np.ascontiguousarray(values), dtype=dtype)


def vec3(values: NDArray | tuple[float, float, float]) -> wp.vec3:
    """Convert three numbers to a warp vector."""
    return wp.vec3(*(float(value) for value in values))


def _init_silently() -> None:
    """Initialise warp with stderr redirected: its native code warns of a missing GPU."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        wp.init()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


wp.config.log_level = wp.LOG_ERROR
_init_silently()
wp.set_device("cpu")
