"""The training step on the device: right, finite, and never waited for."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from headmime.learning import compilation, distributed
from headmime.learning.compilation import compiled_step
from headmime.learning.meta import MetaLearning

pytestmark = pytest.mark.gpu
Build = Callable[..., MetaLearning]
Unwaited = Callable[[], AbstractContextManager[None]]
NORM = 1e-3
"""Of a tensor's gradient: how far those of two devices may be apart, which add in other orders."""


def on(device: torch.device | str, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.to(device) for name, t in batch.items()}


def stepped(module: MetaLearning, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Terms of a step of one update each, and gradients, on the CPU.

    Not weights: Adam's first step is a sign, which a gradient of rounding errors turns over.
    """
    terms = module.training_step(on(module.device, batch), 0)
    gradients = {name: p.grad for name, p in module.named_parameters()}
    return on("cpu", {**terms, **gradients})


def assert_alike(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    largest = max(value.norm().item() for value in expected.values())
    for name, value in expected.items():
        distance = (found[name] - value).norm().item()
        assert distance <= NORM * value.norm().item() + 1e-6 * largest, name


def test_a_step_is_the_cpu_s(
    meta_learning: Build, batch: dict[str, Tensor], device: torch.device
) -> None:
    expected = stepped(meta_learning("cpu", discriminator_steps=1), batch)
    assert_alike(stepped(meta_learning(device, discriminator_steps=1), batch), expected)


def test_a_compiled_step_is_the_step(
    meta_learning: Build,
    batch: dict[str, Tensor],
    device: torch.device,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if device.type == "cpu":  # where compiling takes minutes
        monkeypatch.setattr(compilation, "BACKEND", "aot_eager")
    expected = stepped(meta_learning(device, discriminator_steps=1), batch)
    module = meta_learning(device, discriminator_steps=1)
    with compiled_step(module):
        assert_alike(stepped(module, batch), expected)


def test_steps_in_bfloat16_are_finite_and_never_waited_for(
    meta_learning: Build, batch: dict[str, Tensor], device: torch.device, unwaited: Unwaited
) -> None:
    module, batch = meta_learning(device), on(device, batch)

    def step() -> dict[str, Tensor]:
        with torch.autocast(device.type, torch.bfloat16):
            return module.training_step(batch, 0)

    step()  # libraries may wait while they start
    with unwaited():
        terms = [step() for _ in range(3)]
    assert all(value.isfinite() for step_ in terms for value in step_.values())
    assert all(t.isfinite().all() for t in module.state_dict().values())


@pytest.fixture
def alone(device: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A group of one process, in which everything is exchanged as among several."""

    class One(int):
        __hash__ = int.__hash__

        def __eq__(self, other: object) -> bool:
            return False

    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    monkeypatch.setattr(distributed, "world_size", lambda: One(1))
    yield
    dist.destroy_process_group()


def test_what_one_process_exchanges_comes_back(
    meta_learning: Build,
    batch: dict[str, Tensor],
    device: torch.device,
    request: pytest.FixtureRequest,
) -> None:
    expected = stepped(meta_learning(device, discriminator_steps=1), batch)
    request.getfixturevalue("alone")
    module = meta_learning(device, discriminator_steps=1)
    assert_alike(stepped(module, batch), expected)
    distributed.require_equal(module.state_dict(), "nothing to remedy.")
    t = torch.arange(3.0, device=device)
    assert torch.equal(distributed.all_gather(t), t)
    assert torch.equal(distributed.mean_over_processes(t), t) and torch.equal(
        distributed.min_over_processes(t), t
    )
