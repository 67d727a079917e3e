"""Reproduce a known training failure in a short run, and plot its curves beside those of a healthy
run, for docs/results/stability.md.

python makers/stability.py healthy           (first: the others are drawn beside it)
python makers/stability.py sigmoid
python makers/stability.py sigmoid log_every=5     (keys of `headmime train` may follow)

Failures with a patch below cannot be configured: the patch changes this process only.
"""

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from headmime.cli import main as headmime

RUNS, DOCS = Path("runs/stability"), Path("docs/results/stability")
SMALL = [
    "store=runs/stores/sitters_64",
    "sitters.n=1120",
    "sitters.seed=2",
    "model={image_size: 32, width: 16, max_width: 64, generator_levels: 3}",
    "model.attention_down=8",
    "model.attention_up=16",
    "sources=2",
    "batch=6",
    "workers=0",
    "log_every=10",
    "stop_if_ill=false",
    # float32, so that failures are caused by the case and not by the machine.
    "trainer={precision: 32-true, max_time: null, max_epochs: 2, enable_progress_bar: false}",
]


def sigmoid() -> None:
    """A sigmoid between D's score and its hinge."""
    import headmime.nets.discriminator as module

    linear = module.realism
    module.realism = lambda v, w, b: linear(v, w, b).sigmoid()


def no_power_iteration() -> None:
    """Freeze the spectral vectors at their initial values."""
    import headmime.learning.meta as module

    module.power_iterate = lambda net: None


def rows_from_zero() -> None:
    """Initialise rows of W with 0 instead of their embeddings."""
    from headmime.learning.video_embeddings import VideoEmbeddings

    VideoEmbeddings.start_from = lambda self, i, e_hat: None


@dataclass(frozen=True)
class Case:
    """`keys` in addition to SMALL, a patch if there is no key for it, and the curves to plot."""

    keys: str
    curves: tuple[str, ...]
    patch: Callable[[], None] | None = None


BRIEF = "trainer.max_epochs=1 "  # 177 updates; W's rows matter from the second epoch on
CASES = {
    "healthy": Case("", ("grid/pix", "loss/dsc", "grid/person")),
    "weak_content": Case(
        BRIEF + "loss.content=0.01 loss.pixel=0 loss.adversarial=1 loss.feature_matching=0",
        ("grid/pix", "grid/brightness", "grid/contrast"),
    ),
    "fast_discriminator": Case(
        BRIEF + "optim.lr_discriminator=2e-2",
        ("loss/dsc", "gradient/discriminator", "saturated/real"),
    ),
    "fast_generator": Case(
        BRIEF + "optim.lr_generator=5e-2", ("grid/pix", "grid/contrast", "loss/cnt")
    ),
    "strong_matching": Case("loss.matching=1000", ("gradient/embedder", "grid/pix", "loss/mch")),
    "sigmoid": Case(BRIEF, ("loss/dsc", "score/real", "gradient/discriminator"), sigmoid),
    "no_power_iteration": Case(
        BRIEF,
        ("gradient/generator", "gradient/discriminator", "score/real"),
        no_power_iteration,
    ),
    "rows_from_zero": Case("", ("embedding/spread", "grid/person", "loss/mch"), rows_from_zero),
}


def main(name: str, *keys: str) -> None:
    """Run the case with additional `keys`, unless it has been run; plot it."""
    case = CASES[name]
    if not curves(name):
        if case.patch is not None:
            case.patch()
        words = [*SMALL, *case.keys.split(), *keys, f"hydra.run.dir={RUNS / name}"]
        print("headmime train -cn cpu_meta", *words)
        headmime(["train", "-cn", "cpu_meta", *words])
    DOCS.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(1, len(case.curves), figsize=(3 * len(case.curves), 2.4))
    for axis, curve in zip(axes, case.curves, strict=True):
        drawn: list[float] = []
        for run in dict.fromkeys(("healthy", name)):
            episodes, values = zip(
                *curves(run, curve)[1:], strict=True
            )  # the first value is off scale
            style = "-" if run == "healthy" else "--"
            axis.plot(episodes, values, style, color="0.6" if style == "-" else "black", label=run)
            drawn += values
        if min(drawn) > 0 and max(drawn) > 50 * min(drawn):
            axis.set_yscale("log")
        axis.set_title(curve, fontsize=9)
        axis.set_xlabel("episodes seen", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(DOCS / f"{name}.png", dpi=80)


def curves(run: str, name: str = "step") -> list[tuple[int, float]]:
    """Return the points of a run's curve; empty if it has not been run."""
    files = sorted((RUNS / run).glob("logs/version_*/metrics.csv"))
    rows = [row for file in files for row in csv.DictReader(file.open())]
    return [(int(row["step"]), float(row[name])) for row in rows if row[name]]


if __name__ == "__main__":
    main(*sys.argv[1:])
