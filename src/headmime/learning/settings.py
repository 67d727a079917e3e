"""Loss weights, optimiser settings and stages, with the paper's values as defaults; and the
validation terms.
"""

from dataclasses import dataclass

IDEAL = {"val/cnt": 0.0, "val/pix": 0.0, "val/near": 0.0, "val/sharpness": 1.0}
"""Value of each validation term for a perfect output; closer is better."""


@dataclass
class FineTuneWeights:
    """Weights of the terms of Eq. 10; the defaults are the paper's (version 2). ``pixel`` and
    ``closeup`` are not in the paper; ``closeup`` weights L_CNT and the pixel loss of magnified
    eyes and mouth.
    """

    content: float = 1.0
    adversarial: float = 1.0
    feature_matching: float = 10.0
    pixel: float = 0.0
    closeup: float = 0.0


@dataclass
class LossWeights(FineTuneWeights):
    """The weights of Eq. 3 and 4: those of fine-tuning, and that of L_MCH."""

    matching: float = 10.0


@dataclass
class Optimisation:
    """Adam's learning rates for E and G, D, and W; beta1 is 0. The paper has two D updates per G
    update. ``lr_video_embeddings`` None omits W: D is V^T w0 + b. An update accumulates gradients
    over ``accumulate`` batches. Rates rise linearly from 0 over the first ``warmup`` episodes.
    """

    lr_generator: float = 5e-5
    lr_discriminator: float = 2e-4
    lr_video_embeddings: float | None = 2e-4
    beta2: float = 0.999
    eps: float = 1e-8
    discriminator_steps: int = 2
    accumulate: int = 1
    warmup: int = 0


@dataclass
class Stage:
    """An initial stage of a run: ``episodes`` with images of ``side`` pixels and all learning rates
    times ``rate``.
    """

    side: int
    episodes: int
    rate: float = 1.0


def validation_terms(weights: LossWeights) -> list[str]:
    """Names of the validation terms for an objective with these weights."""
    return [name for name in IDEAL if weights.closeup or name != "val/near"]
