"""Ablation study: short trainings, each with one change."""
