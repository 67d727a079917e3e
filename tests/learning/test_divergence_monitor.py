from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from headmime.errors import HeadmimeError
from headmime.learning.diagnostics import gradient_norm, grid_diagnostics, step_diagnostics
from headmime.learning.divergence_monitor import DivergenceMonitor, describe_collapse
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights

HEALTHY = {
    "grid/brightness": -0.1,
    "grid/cast": 0.1,
    "grid/contrast": 0.8,
    "target/brightness": -0.1,
    "target/cast": 0.1,
    "loss/cnt": 1.0,
    "loss/adv": -3.0,
    "loss/fm": 0.1,
}


@pytest.fixture
def module(meta_learning: Callable[..., MetaLearning]) -> MetaLearning:
    return meta_learning()


@pytest.fixture
def monitor(batch: dict[str, Tensor], tmp_path: Path) -> DivergenceMonitor:
    return DivergenceMonitor(batch, tmp_path / "last.ckpt", stop=True)


def see(monitor: DivergenceMonitor, module: MetaLearning, **terms: float) -> None:
    outputs = {f"loss/{name}": torch.tensor(value) for name, value in terms.items()}
    monitor.on_train_batch_end(None, module, outputs, None, 0)


def test_readings_are_means_since_the_last_reset(
    monitor: DivergenceMonitor, module: MetaLearning
) -> None:
    see(monitor, module, cnt=9.0)
    monitor.reset()
    see(monitor, module, cnt=1.0)
    see(monitor, module, cnt=2.0)
    assert monitor.diagnostics(module)["loss/cnt"] == 1.5


def test_the_term_that_was_no_number_first_is_named(
    monitor: DivergenceMonitor, module: MetaLearning
) -> None:
    see(monitor, module, cnt=1.0, adv=1.0, dsc=1.0)
    see(monitor, module, cnt=1.0, adv=float("inf"), dsc=1.0)
    see(monitor, module, cnt=float("nan"), adv=float("nan"), dsc=float("nan"))
    with pytest.raises(HeadmimeError, match=r"episode 24: loss/adv became NaN.* 2 batches ago; ra"):
        monitor.raise_if_diverged(module, monitor.diagnostics(module), 24)


def test_weights_without_a_number_show_in_the_grid(
    monitor: DivergenceMonitor, module: MetaLearning
) -> None:
    see(monitor, module, cnt=1.0)
    module.generator.synthesis.to_rgb.bias.data.fill_(float("nan"))
    with pytest.raises(HeadmimeError, match="grid/pix"):
        monitor.raise_if_diverged(module, monitor.diagnostics(module), 8)


def test_a_healthy_run_goes_on(monitor: DivergenceMonitor, module: MetaLearning) -> None:
    see(monitor, module, cnt=1.0, adv=-3.0)
    monitor.raise_if_diverged(module, monitor.diagnostics(module), 8)


def test_a_black_grid_stops_it_and_the_last_state_is_named(
    monitor: DivergenceMonitor, module: MetaLearning
) -> None:
    monitor.state.touch()
    see(monitor, module, cnt=1.0, adv=-9.0)
    module.generator.synthesis.to_rgb.bias.data.fill_(-50)
    with pytest.raises(
        HeadmimeError, match=r"black .*loss/adv was 90%.*good state is .*last\.ckpt"
    ):
        monitor.raise_if_diverged(module, monitor.diagnostics(module), 8)
    patient = DivergenceMonitor(monitor.batch, monitor.state, stop=False)
    patient.raise_if_diverged(module, patient.diagnostics(module), 8)


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ({}, None),
        ({"grid/brightness": -0.95}, "black"),
        ({"grid/brightness": -0.95, "target/brightness": -0.92}, None),
        ({"grid/cast": 1.9}, "one pure colour"),
        ({"grid/contrast": 0.02}, "flat"),
    ],
)
def test_what_counts_as_one_colour(readings: dict[str, float], said: str | None) -> None:
    sentence = describe_collapse(HEALTHY | readings, LossWeights(), 2000)
    assert sentence is None if said is None else said in sentence


def test_the_first_images_may_be_flat_but_not_black() -> None:
    assert describe_collapse(HEALTHY | {"grid/contrast": 0.02}, LossWeights(), 1999) is None
    assert describe_collapse(HEALTHY | {"grid/brightness": -0.95}, LossWeights(), 8) is not None


def test_the_term_that_outweighs_the_others_is_named() -> None:
    """1 x 1.0 beside 1 x 3.0 and 10 x 0.1: 60 %; with content at 16: 80 %."""
    black = HEALTHY | {"grid/brightness": -1.0}
    assert "loss/adv was 60% of the objective; raise loss.content" in describe_collapse(
        black, LossWeights(), 8
    )
    assert "loss/cnt was 80%" in describe_collapse(black, LossWeights(content=16.0), 8)


def test_readings_of_a_step_by_hand(module: MetaLearning) -> None:
    real, fake = torch.tensor([2.0, 0.5, 1.0, 0.0]), torch.tensor([-1.0, -2.0, -3.0, 3.0])
    e_hat = torch.tensor([[1.0, 1.0], [3.0, 1.0]])
    module.discriminator.w0.grad = torch.full((8,), 2.0)
    seen = step_diagnostics(module.nets, real, fake, e_hat, torch.zeros(2, 2))
    assert seen["saturated/real"] == 0.5
    assert seen["saturated/fake"] == 0.75
    assert seen["embedding/distance"] == 1.0
    assert seen["embedding/spread"].item() == pytest.approx(2**0.5 / 2)
    assert seen["gradient/discriminator"].item() == pytest.approx((8 * 4) ** 0.5)
    assert seen["gradient/embedder"] == 0


def test_norm_of_a_network_s_gradient() -> None:
    net = torch.nn.Linear(2, 1)
    net.weight.grad, net.bias.grad = torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])
    assert gradient_norm(net) == 5.0


class Painter:
    """Stands for G: paints the images whose numbers are the embeddings."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def project(self, e_hat: Tensor) -> Tensor:
        return e_hat

    def __call__(self, y: Tensor, psi: Tensor) -> Tensor:
        return self.images[psi[:, 0].long()]


def numbered(x: Tensor, y: Tensor) -> Tensor:
    """Stands for E: the people's numbers."""
    return torch.arange(float(len(x)))[:, None]


def test_grid_of_a_perfect_copy(batch: dict[str, Tensor]) -> None:
    seen = grid_diagnostics((numbered, Painter(batch["x_t"]), None), batch)
    assert seen["grid/pix"] == 0
    assert seen["grid/contrast"] == 1
    assert seen["grid/person"] == 1
    assert seen["grid/spread"] == 1  # of 0, 1, 2


def test_red_has_a_cast_of_two_and_no_contrast(batch: dict[str, Tensor]) -> None:
    red = torch.tensor([1.0, -1.0, -1.0])[:, None, None].expand(3, 3, 16, 16)
    seen = grid_diagnostics((numbered, Painter(red), None), batch)
    assert seen["grid/cast"].item() == pytest.approx(2)
    assert seen["grid/contrast"] == seen["grid/person"] == 0
