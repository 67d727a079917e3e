# A compiled module without a stub.
from typing import Any

def __getattr__(name: str) -> Any: ...
