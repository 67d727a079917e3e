# Kernels are written in Warp's own language, which Warp's compiler checks. The stub that comes with
# it has no operators between vectors, nor functions of them that Python's typing could follow.
from typing import Any

def __getattr__(name: str) -> Any: ...
