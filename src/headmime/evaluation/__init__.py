"""How good an animator is: one door for models, baselines, ceilings (see docs/evaluation.md)."""
