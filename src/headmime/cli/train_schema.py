"""Every key of `headmime train`, so that an unknown one fails."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from headmime.errors import HeadmimeError
from headmime.learning.settings import LossWeights, Optimisation
from headmime.nets.shape import ModelShape


@dataclass
class SittersToRender:
    """Rendered into `store` when it is missing."""

    n: int = MISSING
    frames: int = MISSING
    seed: int = 0
    workers: int = 2


@dataclass
class Ema:
    """`decay` of the moving averages of E and G, which the exported weights then are; null: off, as
    in the paper.
    """

    decay: float | None = None

    def __post_init__(self) -> None:
        if self.decay is not None and not 0 <= self.decay < 1:
            raise HeadmimeError(f"ema.decay={self.decay} must be at least 0 and below 1.")


@dataclass
class TrainerSettings:
    """Lightning's own keys, as far as they make sense here. `precision=auto` is bf16-mixed on a GPU
    that computes in bfloat16, else 32-true.
    """

    max_epochs: int = 75
    max_time: str | None = None
    accelerator: str = "auto"
    devices: str = "auto"
    num_nodes: int = 1
    precision: str = "auto"
    deterministic: bool = False
    limit_train_batches: int | None = None
    enable_progress_bar: bool = True


@dataclass
class Train:
    """Every key of `headmime train`; see conf/train.yaml for the values."""

    model: ModelShape = field(default_factory=ModelShape)
    perceptual: dict[str, Any] = MISSING
    logger: dict[str, Any] = MISSING
    loss: LossWeights = field(default_factory=LossWeights)
    optim: Optimisation = field(default_factory=Optimisation)
    ema: Ema = field(default_factory=Ema)
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
    store: str = MISSING
    sitters: SittersToRender | None = None
    sources: int = MISSING
    batch: int = MISSING
    workers: int = MISSING
    seed: int = MISSING
    init: str | None = None
    ckpt: str | None = None
    log_every: int = MISSING
    grid_every: int = MISSING
    save_every: int = MISSING
    stop_if_ill: bool = True


ConfigStore.instance().store("train_schema", Train)
