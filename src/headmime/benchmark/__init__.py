"""Rows of a table: settings, methods, results, the report."""
