"""warp, initialised without messages; sitters use only its CPU device."""

import os

import warp as wp

__all__ = ["wp"]


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
