"""The metrics, one file each: pure functions of arrays, whose docstrings fix their protocol."""
