"""The weights of the objective's terms and the optimisers' rates, with the paper's values as
defaults; and by which terms a run is validated.
"""

from dataclasses import dataclass

IDEAL = {"val/cnt": 0.0, "val/pix": 0.0, "val/near": 0.0, "val/sharpness": 1.0}
"""What each validation term is for a perfect copy: the nearer, the better."""


@dataclass
class FineTuneWeights:
    """The weight of each term of Eq. 10; the defaults are the paper's (version 2). ``pixel`` and
    ``closeup`` are not in the paper: the latter counts L_CNT and the pixels once more, of eyes and
    mouth magnified.
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
    """Adam's rates for E and G, for D, and for the rows of W; beta1 is 0. Two D updates per G
    update in the paper. ``lr_video_embeddings`` None leaves W out: D is V^T w0 + b. An update sees
    ``accumulate`` batches, one after the other. Rates rise from 0 over the first ``warmup``
    episodes.
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
    """A part of a run before its main part: ``episodes`` with images of ``side`` pixels, all
    learning rates times ``rate``.
    """

    side: int
    episodes: int
    rate: float = 1.0


def validation_terms(weights: LossWeights) -> list[str]:
    """The names of the validation terms of a run whose objective has these weights."""
    return [name for name in IDEAL if weights.closeup or name != "val/near"]
