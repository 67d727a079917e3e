"""Evaluation of models, baselines and ceilings through one interface (see docs/evaluation.md)."""
