"""Studies: comparisons of many rows, each with its settings, run, table and plot in one folder."""
