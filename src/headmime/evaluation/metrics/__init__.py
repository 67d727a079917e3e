"""Metrics: pure functions of arrays, whose docstrings define their protocol."""
