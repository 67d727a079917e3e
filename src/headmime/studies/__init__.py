"""Comparisons of many rows, each whole in its folder: settings, run, table, plot."""
