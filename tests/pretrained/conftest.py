from collections.abc import Callable
from typing import Any

import pytest
from torch.utils._python_dispatch import TorchDispatchMode


class Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(op.overloadpacket.__name__)
        return op(*args, **(kwargs or {}))


@pytest.fixture(scope="session")
def makes_tensors_of_numbers() -> Callable[..., bool]:
    """Whether a call makes a tensor of Python's numbers, for which a GPU's host waits."""

    def asked(function: Callable[..., Any], *arguments: Any) -> bool:
        with Operations() as operations:
            function(*arguments)
        return "lift_fresh" in operations.names

    return asked
