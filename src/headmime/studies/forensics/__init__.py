"""How detectable is a model's output? Detectors of made frames, tried on people they never saw."""
