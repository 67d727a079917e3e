"""A GPU in name: tensors without numbers that claim to be on CUDA, on a machine without one.

Operations compute shapes, dtypes and devices, and refuse what a GPU refuses for those; see torch's
FakeTensorMode. What they would compute, and what a kernel would refuse besides, stays unseen.
"""

import copy
import ctypes
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

from headmime.learning.finetune import FineTuneSettings  # noqa: F401 (imports before the mode)
from headmime.nets import spectral
from headmime.pretrained.caffe_vgg import VGG19_TAPS, VGGFACE_TAPS, CaffeVGG
from headmime.pretrained.vgg import CHANNELS, VGG16, VGG19, VGGStack

READS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2"}
"""Operations whose result the CPU must wait for."""
NO_KERNEL = {
    "alias",
    "detach",
    "device",
    "empty",
    "empty_like",
    "empty_strided",
    "lift_fresh",
    "new_empty",
}
NO_KERNEL |= {"new_empty_strided", "_unsafe_view", "set_", "resize_"}
MOST_METHODS = 128
"""At least as many as CUDAHooksInterface has."""


class Trace(TorchDispatchMode):
    """Counts what would be started on the device, and notes where the CPU would wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.launches: Counter[str] = Counter()
        self.waits: list[str] = []

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_leaves((args, kwargs, result)) if isinstance(t, Tensor)]
        kinds = {t.device.type for t in tensors}
        name = func._schema.name.partition("::")[2]
        copies = name in ("_to_copy", "copy_") and kinds == {"cpu", "cuda"}
        if copies or (name in READS and "cuda" in kinds):
            self.waits.append(f"{name} at {_place()}")
        views = [
            r.alias_info is not None and not r.alias_info.is_write for r in func._schema.returns
        ]
        if "cuda" in kinds and name not in NO_KERNEL and not (views and all(views)):
            self.launches[name] += 1
        return result


def _place() -> str:
    """The nearest line of headmime that is being run."""
    frame = sys._getframe(2)
    while frame is not None and "/headmime/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return "nowhere" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


@contextmanager
def _without_a_driver() -> Iterator[None]:
    """Inside, autograd's engine runs on such tensors in a CUDA build of torch without a driver.

    It asks the first device whether it is in use, which raises where there is none: here nothing is
    in use. The question is a virtual method, whose place is counted in torch's own header; a build
    without CUDA does not ask.
    """
    if torch.version.cuda is None or torch.cuda.is_available():
        yield
        return
    home = Path(torch.__file__).parent
    header = (home / "include/ATen/detail/AcceleratorHooksInterface.h").read_text()
    methods = re.findall(r"^  virtual [^;{]*?([~\w]+)\(", header, re.MULTILINE)
    place = methods.index("hasPrimaryContext") + 1  # the destructor, the first, has two places
    torch._C._ensureCUDADeviceGuardSet()
    of_cuda = ctypes.CDLL(str(home / "lib" / "libtorch_cpu.so"))["_ZN2at6detail12getCUDAHooksEv"]
    of_cuda.restype = ctypes.c_void_p
    hooks = ctypes.c_void_p.from_address(of_cuda())
    before, size = hooks.value, ctypes.sizeof(ctypes.c_void_p)
    ahead = 2 * size  # what a table of virtual methods has before its first
    table = ctypes.create_string_buffer(
        ctypes.string_at(before - ahead, ahead + MOST_METHODS * size)
    )
    answer = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_int8)(lambda *_: False)
    start = ctypes.addressof(table) + ahead
    ctypes.c_void_p.from_address(start + place * size).value = ctypes.cast(
        answer, ctypes.c_void_p
    ).value
    hooks.value = start
    try:
        yield
    finally:
        hooks.value = before


@pytest.fixture
def fake_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTensorMode]:
    """Everything inside is fake; autocast takes the device for one with bfloat16."""
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
    monkeypatch.setattr(spectral, "CONSTRUCTION_ITERATIONS", 0)
    mode = FakeTensorMode()
    real = torch.from_numpy

    def from_numpy(array: np.ndarray) -> Tensor:
        with _disable_current_modes():
            tensor = real(array)
        return mode.from_tensor(tensor)

    monkeypatch.setattr(torch, "from_numpy", from_numpy)
    with ExitStack() as stack:
        stack.enter_context(_without_a_driver())
        stack.enter_context(mode)
        yield mode


def on_cuda(net: nn.Module) -> nn.Module:
    """`net.to("cuda")`, which cannot replace the numbers that fake tensors do not have."""
    for module in net.modules():
        for name, p in module._parameters.items():
            if p is not None:
                moved = p.detach().to("cuda")
                module._parameters[name] = nn.Parameter(moved, requires_grad=p.requires_grad)
        for name, b in module._buffers.items():
            if b is not None:
                module._buffers[name] = b.to("cuda")
    return net


@pytest.fixture
def to_cuda() -> Callable[[nn.Module], nn.Module]:
    return on_cuda


@pytest.fixture
def trace() -> Trace:
    return Trace()


@pytest.fixture
def paper_perceptual(fake_cuda: FakeTensorMode) -> nn.Module:
    """Both VGGs, with the paper's layers, on the device."""

    def stack(stages: tuple[int, ...], taps: tuple[int, ...]) -> VGGStack:
        state, inputs = {}, 3
        for stage, (count, outputs) in enumerate(zip(stages, CHANNELS, strict=True), start=1):
            for k in range(1, count + 1):
                state[f"conv{stage}_{k}.weight"] = torch.empty(outputs, inputs, 3, 3)
                state[f"conv{stage}_{k}.bias"] = torch.empty(outputs)
                inputs = outputs
        return VGGStack(state, stages, taps, "fake")

    return on_cuda(CaffeVGG(stack(VGG19, VGG19_TAPS), stack(VGG16, VGGFACE_TAPS), {}))


def fake_copy(net: nn.Module) -> nn.Module:
    """`deepcopy`, which reads storages that fake tensors do not have."""
    memo: dict[int, Any] = {}
    for t in [*net.parameters(), *net.buffers()]:
        c = t.detach().clone()
        trained = isinstance(t, nn.Parameter)
        memo[id(t)] = nn.Parameter(c, requires_grad=t.requires_grad) if trained else c
    return copy.deepcopy(net, memo)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets personalise and for_inference copy fake networks."""
    from headmime.nets import inference, personal

    for module in (inference, personal):
        monkeypatch.setattr(module, "deepcopy", fake_copy)
