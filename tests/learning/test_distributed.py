"""Several processes do what one does: real ones, over gloo."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from headmime.learning import distributed
from headmime.learning.distributed import sum_of_bits

WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 600.0
"""Seconds after which processes that wait for each other are ended."""


@pytest.fixture(scope="module")
def worker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("worker", WORKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def one(worker: ModuleType) -> dict:
    """What one process holds after 50 batches of 4."""
    validated: list[tuple[int, float]] = []
    return {"state": worker.trained(0, 1, 4, 1, validated).state_dict(), "validated": validated}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What two processes hold after 50 batches of 2 each."""
    folder = tmp_path_factory.mktemp("two")
    commands = [[sys.executable, str(WORKER), str(folder), rank, "2", "2", "1"] for rank in "01"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    started = [subprocess.Popen(c, env=environment, stderr=subprocess.PIPE) for c in commands]
    deadline = time.monotonic() + PATIENCE
    try:
        said = [p.communicate(timeout=deadline - time.monotonic())[1].decode() for p in started]
    finally:
        for process in started:
            process.kill()
    assert [p.returncode for p in started] == [0, 0], said
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in "01"]


def test_sums_of_bits_are_exact_and_need_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bits of 1.0 are 0x3f800000; one bit more shows, and no sum is over more than asked."""
    summed: list[int] = []
    whole = Tensor.sum
    monkeypatch.setattr(Tensor, "sum", lambda t: (summed.append(t.numel()), whole(t))[1])
    monkeypatch.setattr(distributed, "SUMMED", 8)
    ones = torch.ones(5, 4)
    assert sum_of_bits(ones) == 20 * 0x3F800000
    ones[3, 2] = torch.nextafter(ones[3, 2], torch.tensor(2.0))
    assert sum_of_bits(ones) == 20 * 0x3F800000 + 1
    assert sum_of_bits(torch.tensor(-1)) == -2  # of 64 bits
    assert sum_of_bits(torch.ones(3, dtype=torch.bool)) == 3
    assert max(summed) == 8


def difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max((one[n].double() - other[n].double()).abs().max().item() for n in one)


def test_they_exchange_what_the_step_needs(two: list[dict]) -> None:
    first, second = (process["said"] for process in two)
    assert first["gathered"].tolist() == [[0.0] * 3] * 2 + [[1.0] * 3] * 2
    assert first["mean"].tolist() == [[0.5] * 3] * 2
    assert first["least"].tolist() == [[0.0] * 3] * 2
    assert first["gradients"].tolist() == [1.5] * 3 + [2.0] * 2
    assert "other" in first["complaint"] and "same seed" in first["complaint"]
    for name in ("gathered", "mean", "least", "gradients", "rows"):
        assert torch.equal(first[name], second[name]), name


def test_processes_that_have_come_apart_keep_nothing(two: list[dict]) -> None:
    first, second = (process["said"] for process in two)
    assert first["at a save"] == second["at a save"]
    assert first["at a save"].startswith("The processes hold different values of 0.bias (1 of 2")
    assert "Nothing was saved at episode 8; ckpt=last.ckpt resumes" in first["at a save"]
    assert (first["of equals"], second["of equals"]) == ("weights, last.ckpt", "last.ckpt")


def test_a_row_named_by_two_processes_gets_the_sum_as_under_dense_adam(
    two: list[dict],
) -> None:
    dense = torch.zeros(6, 3, dtype=torch.float64)
    dense[1], dense[2], dense[4] = 1.0, 1.0, 2.0  # the first embedding named for row 2
    dense.requires_grad_()
    adam = torch.optim.Adam([dense], lr=0.1, betas=(0.0, 0.9), eps=1e-8)
    for k in range(4):
        dense.grad = torch.zeros_like(dense)
        dense.grad[1], dense.grad[2], dense.grad[4] = 1.0 + k, 3.0 + 2 * k, 2.0 + k
        adam.step()
    W = two[0]["said"]["rows"]
    torch.testing.assert_close(W, dense.detach(), rtol=1e-12, atol=1e-12)


def test_two_processes_give_what_one_gives(one: dict, two: list[dict]) -> None:
    assert difference(one["state"], two[0]["state"]) < 1e-9


def test_a_batch_in_parts_gives_what_the_whole_gives(worker: ModuleType, one: dict) -> None:
    assert difference(one["state"], worker.trained(0, 1, 1, 4, []).state_dict()) < 1e-9


def test_one_of_the_processes_validates(one: dict, two: list[dict]) -> None:
    first, second = (process["validated"] for process in two)
    assert second == []
    assert [seen for seen, _ in first] == [80, 160, 200]
    assert [value for _, value in first] == pytest.approx([v for _, v in one["validated"]])


def test_processes_hold_the_same_to_the_last_bit(two: list[dict]) -> None:
    first, second = (process["state"] for process in two)
    assert all(torch.equal(first[n], second[n]) for n in first)
