"""The weights of the objective's terms and the optimisers' rates, with the paper's values as
defaults.
"""

from dataclasses import dataclass


@dataclass
class LossWeights:
    """What each term of Eq. 3, 4 and 10 counts; the defaults are the paper's (version 2). ``pixel``
    and ``closeup`` are not in the paper: the latter counts L_CNT and the pixels once more, of eyes
    and mouth magnified.
    """

    content: float = 1.0
    adversarial: float = 1.0
    feature_matching: float = 10.0
    matching: float = 10.0
    pixel: float = 0.0
    closeup: float = 0.0


@dataclass
class Optimisation:
    """Adam's rates for E and G, for D, and for the rows of W; beta1 is 0. Two D updates per G
    update in the paper. ``lr_rows`` None leaves W out: D is V^T w0 + b. An update sees
    ``accumulate`` batches, one after the other. Rates rise from 0 over the first ``warmup``
    episodes.
    """

    lr_generator: float = 5e-5
    lr_discriminator: float = 2e-4
    lr_rows: float | None = 2e-4
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
