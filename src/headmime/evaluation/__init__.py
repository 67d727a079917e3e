"""Evaluation of animators: models, baselines and the ceiling (see docs/guide/evaluate.md)."""
