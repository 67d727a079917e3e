"""The compiled step is the step. `aot_eager` traces as the real compiler does, and then runs what
it traced, operation by operation.
"""

import logging
from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from headmime.errors import HeadmimeError
from headmime.learning import compilation
from headmime.learning.compilation import compiled_step, should_compile
from headmime.learning.curriculum import keep_magnitude
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights
from headmime.nets.blocks import instance_norm

Build = Callable[..., MetaLearning]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "BACKEND", "aot_eager")


def trained(
    build: Build, batches: list[dict[str, Tensor]], dtype: torch.dtype, compile: bool
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The last step's terms, and the state after these batches."""
    module = build(LossWeights(pixel=1, closeup=1)).to(dtype)
    keep_magnitude(module.nets, 16)
    with compiled_step(module) if compile else nullcontext():
        for batch in batches:
            floats = {n: t.to(dtype) for n, t in batch.items() if t.is_floating_point()}
            terms = module.training_step(batch | floats, 0)
    return terms, module.state_dict()


def of_side(batch: dict[str, Tensor], side: int) -> dict[str, Tensor]:
    return {n: t[..., :side, :side] if n[0] in "xy" else t for n, t in batch.items()}


@pytest.mark.usefixtures("traced")
def test_a_compiled_step_is_the_step(meta_learning: Build, batch: dict[str, Tensor]) -> None:
    """In float64, so that what is left is an error and no rounding, which Adam makes large."""
    terms, eager = trained(meta_learning, [batch, batch], torch.float64, compile=False)
    terms_, state = trained(meta_learning, [batch, batch], torch.float64, compile=True)
    assert list(state) == list(eager)
    for name, value in (eager | terms).items():
        torch.testing.assert_close((state | terms_)[name], value, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.usefixtures("traced")
def test_stages_of_two_sides_are_compiled_one_after_the_other(
    meta_learning: Build, batch: dict[str, Tensor]
) -> None:
    one = {name: t[:1] for name, t in batch.items()}
    batches = [of_side(one, 8), one, one]
    terms, eager = trained(meta_learning, batches, torch.float64, compile=False)
    terms_, state = trained(meta_learning, batches, torch.float64, compile=True)
    for name, value in (eager | terms).items():
        torch.testing.assert_close((state | terms_)[name], value, rtol=1e-10, atol=1e-12)


def test_only_the_step_is_compiled(
    meta_learning: Build, batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise RuntimeError("compiled")

    monkeypatch.setattr(compilation, "BACKEND", none)
    module = meta_learning()
    E, G, _ = module.nets
    with compiled_step(module):
        G(batch["y_t"], G.project(E(batch["x_s"], batch["y_s"])))
        with pytest.raises(Exception, match="compiled"):
            module.training_step(batch, 0)
    module.training_step(batch, 0)


def test_a_compiler_s_instance_norm_is_instance_norm() -> None:
    h = torch.randn(3, 4, 5, 5, dtype=torch.float64) * 2 + 1
    scale, shift = torch.randn(2, 3, 4, dtype=torch.float64)
    at_once = torch.compile(instance_norm, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(at_once(h, scale, shift), instance_norm(h, scale, shift))
    half = at_once(h.bfloat16(), scale.float(), shift.float())
    assert half.dtype == torch.bfloat16
    expected = instance_norm(h.bfloat16(), scale.float(), shift.float())
    torch.testing.assert_close(half, expected, rtol=0.01, atol=0.02)


@pytest.mark.usefixtures("traced")
def test_a_cpu_compiles_only_when_asked() -> None:
    assert (
        not should_compile(None, "cpu")
        and not should_compile(False, "cpu")
        and not should_compile(False, "cuda")
    )
    assert should_compile(True, "cpu")


def test_a_machine_without_a_compiler_is_refused_or_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without(*_: object) -> None:
        raise RuntimeError("no g++ here\nand a long trace")

    monkeypatch.setattr(compilation, "BACKEND", without)
    with pytest.raises(HeadmimeError, match=r"^trainer.compile=true: .* no g\+\+ here"):
        should_compile(True, "cpu")
    with caplog.at_level(logging.WARNING):
        # where there is no such device, that is what does not work
        assert not should_compile(None, "cuda")
    assert "as with trainer.compile=false" in caplog.text
