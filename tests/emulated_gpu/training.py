"""The training step on a GPU in name: where it computes, what it starts, what it waits for."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._python_dispatch import _disable_current_modes

from headmime.data.episodes import to_floats
from headmime.learning.averaging import MovingAverages
from headmime.learning.diagnostics import grid_diagnostics
from headmime.learning.distributed import (
    all_gather,
    mean_gradients,
    mean_over_processes,
    min_over_processes,
)
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets import build_nets
from headmime.nets.shape import ModelShape
from headmime.pretrained.sitter_identity import efficientnet_and_identity

ToCuda = Callable[[nn.Module], nn.Module]
LAUNCHES = {1: 5_900, 4: 6_100}
"""Of a step at the paper's depth, at most, by batch; 5,585 and 5,772 were found."""
RANKS = 8


def module_of(
    shape: ModelShape, perceptual: nn.Module, to_cuda: ToCuda, weights: LossWeights, **settings: Any
) -> MetaLearning:
    module = MetaLearning(build_nets(shape), 1000, perceptual, weights, Optimisation(**settings))
    to_cuda(module)
    optimisers = module.configure_optimizers()
    module.optimizers = lambda: optimisers
    module.manual_backward = lambda loss: loss.backward()
    return module


def from_the_loader(B: int, K: int, S: int) -> dict[str, Tensor]:
    """A batch as it comes to the device: uint8, the channels last in memory."""

    def pictures(*n: int) -> Tensor:
        return torch.empty(*n, S, S, 3, dtype=torch.uint8).movedim(-1, -3)

    names = {"x_s": (B, K), "y_s": (B, K), "x_t": (B,), "y_t": (B,)}
    batch = {name: pictures(*n) for name, n in names.items()}
    batch |= {"strips_t": torch.empty(B, 2, 2, 3), "row": torch.zeros(B, dtype=torch.int64)}
    return to_floats({name: t.to("cuda") for name, t in batch.items()})


def stepped(module: MetaLearning, batch: dict[str, Tensor], trace: Any) -> dict[str, Tensor]:
    with trace, torch.autocast("cuda", torch.bfloat16):
        return module.training_step(batch, 0)


@pytest.fixture
def narrow() -> ModelShape:
    """The paper's number of layers, at fewer channels and pixels."""
    return ModelShape(width=8, max_width=64)


@pytest.mark.parametrize("B", LAUNCHES)
def test_the_paper_s_step_stays_on_the_device(
    B: int, narrow: ModelShape, paper_perceptual: nn.Module, to_cuda: ToCuda, trace: Any
) -> None:
    module = module_of(narrow, paper_perceptual, to_cuda, LossWeights())
    batch = from_the_loader(B, 8, narrow.image_size)
    terms = stepped(module, batch, trace)
    assert trace.waits == []
    assert {t.device.type for t in terms.values()} == {"cuda"}
    for optimiser in module.optimizers():
        states = [t for state in optimiser.state.values() for t in state.values()]
        assert {t.device.type for t in states} == {"cuda"}
    assert trace.launches.total() <= LAUNCHES[B], trace.launches.most_common(12)


def test_the_recipe_s_step_and_what_goes_with_it_stay_on_the_device(
    fake_cuda: FakeTensorMode, tiny: ModelShape, to_cuda: ToCuda, trace: Any
) -> None:
    """Close-ups, pixels, the packaged perceptual networks, two parts, averages, and the grid."""
    with _disable_current_modes():
        perceptual = efficientnet_and_identity(None, 1.0)
    for part in perceptual.modules():
        part._buffers |= {n: fake_cuda.from_tensor(b) for n, b in part._buffers.items()}
    to_cuda(perceptual)
    weights = LossWeights(closeup=1, pixel=1)
    module = module_of(tiny, perceptual, to_cuda, weights, accumulate=2)
    batch = from_the_loader(4, 2, tiny.image_size)
    stepped(module, batch, trace)
    averages = MovingAverages(100)
    averages.on_fit_start(None, module)
    with trace:
        averages.update(module.nets, 4)
        grid = grid_diagnostics(module.nets, batch)
    assert trace.waits == []
    assert {t.device.type for t in [*grid.values(), *averages.averages]} == {"cuda"}


@pytest.fixture
def ranks() -> Iterator[None]:
    """This process is the first of eight, whose others say nothing."""
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=RANKS)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("fake_cuda", "ranks")
def test_eight_processes_exchange_tensors_on_the_device(
    tiny: ModelShape, perceptual: nn.Module, to_cuda: ToCuda, trace: Any, monkeypatch: Any
) -> None:
    sent: Counter[tuple[str, tuple[int, ...], str]] = Counter()

    def noted(name: str) -> Callable[..., Any]:
        exchange = getattr(dist, name)

        def note(*args: Any, **kwargs: Any) -> Any:
            t = next(a for a in args if isinstance(a, Tensor))
            sent[name, tuple(t.shape), t.device.type] += 1
            return exchange(*args, **kwargs)

        return note

    for name in ("all_gather", "all_reduce"):
        monkeypatch.setattr(dist, name, noted(name))
    module = module_of(tiny, perceptual, to_cuda, LossWeights())
    stepped(module, from_the_loader(2, 2, tiny.image_size), trace)
    assert trace.waits == []
    E, G, D = module.nets
    N = tiny.embedding
    of_E_and_G, of_D = (
        sum(p.numel() for n in nets for p in n.parameters()) for nets in ((E, G), (D,))
    )
    assert sent == {
        ("all_gather", (2,), "cuda"): 2,  # the rows i of the batch and of its only part
        ("all_gather", (2, N), "cuda"): 3,  # embeddings, and two updates' gradients of rows
        ("all_reduce", (of_E_and_G,), "cuda"): 1,
        ("all_reduce", (of_D,), "cuda"): 2,
    }
    t = torch.ones(3, device="cuda")
    assert all_gather(t).shape == (3 * RANKS,)
    assert {f(t).device.type for f in (mean_over_processes, min_over_processes, all_gather)} == {
        "cuda"
    }
    mean_gradients([])
