"""Time, memory, speed and description of a device."""

import gc
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

WARM_UP, MAX_CALLS = 3, 100
MATRICES = {"cuda": (4096, 8192, 16384), "cpu": (1024,)}
CONVOLUTIONS = {  # batch, channels, side
    "cuda": ((48, 512, 32), (48, 256, 64), (48, 128, 128)),
    "cpu": ((8, 512, 32), (1, 256, 64)),
}


class Marks:
    """Time stamps in the device's stream of work."""

    def __init__(self, device: str) -> None:
        self._cuda = device == "cuda"
        self._at: list[Any] = []

    def __len__(self) -> int:
        return len(self._at)

    def add(self, *_: Any) -> None:
        if not self._cuda:
            self._at.append(time.perf_counter())
            return
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._at.append(event)
        if len(self._at) > 2:
            self._at[-3].synchronize()  # keep the host close to the device, for the time budget

    def intervals(self) -> list[float]:
        """Seconds between consecutive marks."""
        pairs = list(zip(self._at, self._at[1:], strict=False))
        if not self._cuda:
            return [after - before for before, after in pairs]
        torch.cuda.synchronize()
        return [before.elapsed_time(after) / 1e3 for before, after in pairs]


def seconds(work: Callable[[], Any], device: str, until: float, warm_up: int = WARM_UP) -> float:
    """Median seconds of a call, over up to MAX_CALLS until the clock reaches `until`; at least
    one.
    """
    for _ in range(warm_up):
        work()
    marks = Marks(device)
    marks.add()
    while len(marks) < 2 or (len(marks) <= MAX_CALLS and time.perf_counter() < until):
        work()
        marks.add()
    return median(marks.intervals())


@torch.inference_mode()
def peak(device: str, dtype: torch.dtype, until: float) -> dict[str, Any]:
    """Measure TFLOP/s of the fastest matrix product or convolution."""
    random = partial(torch.randn, device=device, dtype=dtype)
    works: dict[str, tuple[Callable[[], Tensor], float]] = {}
    for n in MATRICES[device]:
        a, b = random(n, n), random(n, n)
        works[f"{n} x {n}"] = (lambda a=a, b=b: a @ b), 2 * n**3
    for B, C, S in CONVOLUTIONS[device]:
        h, w = random(B, C, S, S), random(C, C, 3, 3)
        h, w = (t.to(memory_format=torch.channels_last) for t in (h, w))
        works[f"3x3, {[B, C, S, S]}"] = (
            (lambda h=h, w=w: F.conv2d(h, w, padding=1)),
            18 * B * C**2 * S**2,
        )
    begun = time.perf_counter()
    ends = np.linspace(begun, max(begun, until), len(works) + 1)[1:]
    speeds = {
        name: operations / seconds(work, device, end) / 1e12
        for (name, (work, operations)), end in zip(works.items(), ends, strict=True)
    }
    fastest = max(speeds, key=speeds.__getitem__)
    return {"tflop_per_s": speeds[fastest], "of": fastest, "all": speeds}


def synchronise(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize(device)


def release(device: str) -> None:
    """Free unused memory and reset the peak statistics."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def memory(device: str) -> float:
    """Peak GiB of tensors since `release`; on a CPU, of the process so far."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def machine(device: str) -> dict[str, str]:
    """Description of the machine."""
    found = {"torch": torch.__version__, "python": platform.python_version()}
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        found["cpu"] = next(line for line in lines if line.startswith("model name"))[13:]
    found["cores"] = str(os.cpu_count())
    if device == "cuda":
        card = torch.cuda.get_device_properties(device)
        found["gpu"] = f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
        found["cuda"] = f"{torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
        with suppress(OSError):
            command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            found["driver"] = process.stdout.split("\n")[0]
    return found
