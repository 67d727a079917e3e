import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headmime.learning import validation
from headmime.learning.closeup import closeup_loss
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights
from headmime.learning.validation import Validation, compute_validation_terms
from headmime.nets import Nets


class Pictures:
    """Held-out episodes: random pictures, which are a function of their numbers."""

    def batch(self, numbers: Sequence[int]) -> dict[str, Tensor]:
        drawn = [torch.Generator().manual_seed(n) for n in numbers]
        shapes = {"x_s": (2, 3, 16, 16), "y_s": (2, 3, 16, 16)}
        shapes |= {"x_t": (3, 16, 16), "y_t": (3, 16, 16)}
        return {
            name: torch.stack(
                [torch.randint(256, s, generator=g, dtype=torch.uint8) for g in drawn]
            )
            for name, s in shapes.items()
        }


@pytest.fixture
def trainer() -> SimpleNamespace:
    """What the callback asks of Lightning; ``curves`` is what was logged."""
    curves: list[tuple[int, dict[str, float]]] = []
    logger = SimpleNamespace(
        log_metrics=lambda values, step: curves.append((step, values)), save=lambda: None
    )
    return SimpleNamespace(
        datamodule=SimpleNamespace(episodes=0),
        is_global_zero=True,
        loggers=[logger],
        precision_plugin=SimpleNamespace(val_step_context=nullcontext),
        progress_bar_metrics={},
        curves=curves,
    )


@pytest.fixture
def make(perceptual: nn.Module) -> Callable[..., Validation]:
    """Builds the callback; what it saves goes to its list ``saved``."""

    def build(keep_best: str | None = "val/cnt", every: int = 2, **options: Any) -> Validation:
        saved: list[tuple[Nets, dict]] = []
        callback = Validation(
            Pictures(),
            episodes=5,
            batch=2,
            every=every,
            perceptual=perceptual,
            export=options.get("export", lambda nets: nets),
            keep_best=keep_best,
            save=lambda nets, origin: saved.append((nets, origin)),
        )
        callback.saved = saved
        return callback

    return build


def see(
    callback: Validation,
    trainer: SimpleNamespace,
    module: MetaLearning,
    values: Sequence[float],
    monkeypatch: pytest.MonkeyPatch,
    name: str = "val/cnt",
) -> list[float]:
    """Validate once for each of these values of a term; the values that were kept."""
    for value in values:
        terms = {"val/cnt": 0.0, name: value}
        monkeypatch.setattr(validation, "compute_validation_terms", lambda *_, terms=terms: terms)
        trainer.datamodule.episodes += 8
        callback.run(trainer, module)
    return [origin["best"]["value"] for _, origin in callback.saved]


def test_terms_by_hand(nets: Nets, batch: dict[str, Tensor], perceptual: nn.Module) -> None:
    """In batches of two and one, as the mean over all three."""
    x, weights = batch["x_t"], LossWeights(closeup=1, pixel=2)
    parts = [{name: t[span] for name, t in batch.items()} for span in (slice(2), slice(2, 3))]
    values = compute_validation_terms(nets, parts, perceptual, weights)
    with torch.no_grad():
        e_hat = nets.embedder(batch["x_s"], batch["y_s"])
        x_hat = nets.generator(batch["y_t"], nets.generator.project(e_hat))
        near = closeup_loss(x_hat, x, batch["strips_t"], perceptual, weights)
    pix = (x_hat - x).abs().mean().item()
    small = nn.functional.avg_pool2d(x_hat - x, 4).abs().mean().item()
    assert list(values) == ["val/cnt", "val/pix", "val/near", "val/sharpness"]
    assert values["val/cnt"] == pytest.approx(pix + small, rel=1e-5)
    assert values["val/pix"] == pytest.approx(pix, rel=1e-5)
    assert values["val/near"] == pytest.approx(near.item(), rel=1e-5)
    assert "val/near" not in compute_validation_terms(nets, parts, perceptual, LossWeights())


class Painter(nn.Module):
    """Stands for G: the targets, with this share of their contrast."""

    def __init__(self, targets: Tensor, contrast: float) -> None:
        super().__init__()
        self.pictures = contrast * targets

    def project(self, e_hat: Tensor) -> Tensor:
        return e_hat

    def forward(self, y: Tensor, psi: Tensor) -> Tensor:
        return self.pictures


@pytest.mark.parametrize("contrast", [1.0, 0.5])
def test_half_the_contrast_is_a_quarter_of_the_sharpness(
    nets: Nets, batch: dict[str, Tensor], perceptual: nn.Module, contrast: float
) -> None:
    painted = nets._replace(generator=Painter(batch["x_t"], contrast))
    values = compute_validation_terms(painted, [batch], perceptual, LossWeights())
    assert values["val/sharpness"] == pytest.approx(contrast**2, rel=0.01)  # rounded to 0..255
    assert (values["val/cnt"] == values["val/pix"] == 0) is (contrast == 1)


def test_flat_targets_have_no_sharpness(
    nets: Nets, batch: dict[str, Tensor], perceptual: nn.Module
) -> None:
    flat = batch | {"x_t": torch.zeros(3, 3, 16, 16)}
    assert math.isnan(
        compute_validation_terms(nets, [flat], perceptual, LossWeights())["val/sharpness"]
    )


def test_every_so_many_batches_and_once_at_the_end(
    make: Callable, trainer: SimpleNamespace, meta_learning: Callable
) -> None:
    callback, module = make(every=2), meta_learning()
    callback.on_fit_start(trainer, module)
    for episodes in (8, 16, 24, 32):
        trainer.datamodule.episodes = episodes
        callback.on_train_batch_end(trainer, module, None, None, 0)
    callback.on_train_end(trainer, module)
    assert [step for step, _ in trainer.curves] == [16, 32]
    assert all(curve.pop("val/seconds") > 0 for _, curve in trainer.curves)
    assert trainer.curves[0][1] == trainer.curves[1][1]  # of the same weights
    assert trainer.progress_bar_metrics == {"val/cnt": trainer.curves[0][1]["val/cnt"]}
    ((nets, origin),) = callback.saved
    assert nets == module.nets
    value = trainer.curves[0][1]["val/cnt"]
    best = {"metric": "val/cnt", "value": value, "held_out": 5}
    assert origin == {"episodes": 16, "best": best}


def test_what_is_exported_is_what_is_validated_and_saved(
    make: Callable, trainer: SimpleNamespace, meta_learning: Callable, nets: Nets
) -> None:
    module = meta_learning()
    nets.generator.synthesis.to_rgb.bias.data.fill_(1.0)
    callback, averaged = make(), make(export=lambda _: nets)
    for one in (callback, averaged):
        one.on_fit_start(trainer, module)
        one.run(trainer, module)
    (_, raw), (_, average) = trainer.curves
    assert raw["val/pix"] != average["val/pix"]
    assert averaged.saved[0][0] is nets


def test_it_computes_in_the_run_s_precision_and_leaves_training_alone(
    make: Callable,
    trainer: SimpleNamespace,
    meta_learning: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, callback, seen = meta_learning(), make(), []
    hook = module.generator.register_forward_hook(
        lambda *_: seen.append((torch.is_autocast_enabled("cpu"), torch.is_grad_enabled()))
    )
    trainer.precision_plugin.val_step_context = lambda: torch.autocast("cpu", torch.bfloat16)
    before = {name: t.clone() for name, t in module.state_dict().items()}
    random = torch.get_rng_state()
    callback.on_fit_start(trainer, module)
    callback.run(trainer, module)
    hook.remove()
    assert seen == [(True, False)] * 3  # five episodes, two at a time
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in module.parameters())


@pytest.mark.parametrize(
    ("name", "values", "kept"),
    [
        ("val/cnt", [math.nan, 2.0, 3.0, 2.0, 1.0], [2.0, 1.0]),
        ("val/sharpness", [0.2, 0.9, 0.5, 1.3, 1.05], [0.2, 0.9, 1.05]),
    ],
)
def test_weights_are_kept_when_the_term_is_nearer_to_its_ideal_than_ever(
    make: Callable,
    trainer: SimpleNamespace,
    meta_learning: Callable,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    values: list[float],
    kept: list[float],
) -> None:
    assert see(make(name), trainer, meta_learning(), values, monkeypatch, name) == kept


def test_null_keeps_none(
    make: Callable,
    trainer: SimpleNamespace,
    meta_learning: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert see(make(None), trainer, meta_learning(), [2.0, 1.0], monkeypatch) == []
    assert len(trainer.curves) == 2


def test_a_resumed_run_keeps_a_better_best(
    make: Callable,
    trainer: SimpleNamespace,
    meta_learning: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module, first = meta_learning(), make()
    see(first, trainer, module, [2.0, 1.0], monkeypatch)
    resumed, by_another = make(), make("val/pix")
    for callback in (resumed, by_another):
        callback.load_state_dict(first.state_dict())
    assert see(resumed, trainer, module, [1.5, 0.5], monkeypatch) == [0.5]
    assert see(by_another, trainer, module, [9.0], monkeypatch, "val/pix") == [9.0]
