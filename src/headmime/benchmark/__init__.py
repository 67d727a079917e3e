"""Evaluation tables: settings, methods, rows, goals and the report."""
