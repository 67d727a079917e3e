import pytest
import torch

from headmime.precision import at_least_float32, computes_in_bfloat16


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_sums_are_at_least_single_precision(given: torch.dtype, returned: torch.dtype) -> None:
    assert at_least_float32(torch.ones(2, dtype=given)).dtype == returned


@pytest.mark.parametrize(
    ("features", "native"),
    [({"avx512_bf16": True}, True), ({"bf16": True}, True), ({"avx512_bf16": False}, False)],
)
def test_a_cpu_computes_in_bfloat16_if_it_says_so(
    features: dict[str, bool], native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features, raising=False)
    assert computes_in_bfloat16("cpu") is native


def test_who_cannot_say_computes_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not computes_in_bfloat16("cpu")
    assert not computes_in_bfloat16("mps")


def test_a_gpu_that_emulates_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert not computes_in_bfloat16("cuda:0")
