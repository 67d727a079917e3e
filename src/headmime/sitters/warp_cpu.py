"""warp, started once per process and without its announcements: sitters use nothing but its CPU."""

import os

import warp as wp

__all__ = ["wp"]


def _init_silently() -> None:
    """Start warp; its native part tells every process without a GPU so, on the real stderr."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        wp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


wp.config.log_level = wp.LOG_ERROR
_init_silently()
