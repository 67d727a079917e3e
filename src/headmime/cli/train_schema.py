"""Every key of `headmime train`, so that an unknown one fails."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from headmime.errors import HeadmimeError
from headmime.learning.settings import LossWeights, Optimisation, Stage, validation_terms
from headmime.nets.shape import ModelShape

PRECISIONS = ("auto", "32-true", "bf16-mixed")


@dataclass
class SittersToRender:
    """Rendered into `store` when it is missing."""

    n: int = MISSING
    frames: int = MISSING
    seed: int = 0
    workers: int = 2


@dataclass
class Ema:
    """`half_life`, in episodes, of the moving averages of E and G, which the exported weights then
    are; null: off, as in the paper.
    """

    half_life: int | None = None

    def __post_init__(self) -> None:
        if self.half_life is not None and self.half_life < 1:
            raise HeadmimeError(f"ema.half_life={self.half_life}: at least 1 episode, or null.")


@dataclass
class Validate:
    """Every ``every`` batches the terms of ``episodes`` episodes of the store's split "test" are
    logged; null: never.
    """

    every: int | None = 2000
    episodes: int = 64

    def __post_init__(self) -> None:
        for name, value in (("every", self.every), ("episodes", self.episodes)):
            if value is not None and value < 1:
                raise HeadmimeError(f"validation.{name}={value} must be at least 1.")


@dataclass
class TrainerSettings:
    """Lightning's own keys, as far as they make sense here, and two of ours. `precision=auto` is
    bf16-mixed on a device that computes in bfloat16, else 32-true; float16 would need W's gradients
    unscaled. `compile=null` is true on CUDA, where it works. `cudnn_benchmark`: cuDNN tries which
    of its ways is the fastest for each size.
    """

    max_epochs: int = 75
    max_time: str | None = None
    accelerator: str = "auto"
    devices: str = "auto"
    num_nodes: int = 1
    precision: str = "auto"
    compile: bool | None = None
    cudnn_benchmark: bool = True
    deterministic: bool = False
    limit_train_batches: int | None = None
    profiler: dict[str, Any] | None = None
    enable_progress_bar: bool = True

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise HeadmimeError(
                f"trainer.precision={self.precision} can only be {', '.join(PRECISIONS)}."
            )


@dataclass
class Train:
    """Every key of `headmime train`; see conf/train.yaml for the values."""

    model: ModelShape = field(default_factory=ModelShape)
    perceptual: dict[str, Any] = MISSING
    logger: dict[str, Any] = MISSING
    loss: LossWeights = field(default_factory=LossWeights)
    optim: Optimisation = field(default_factory=Optimisation)
    ema: Ema = field(default_factory=Ema)
    growing: list[Stage] = field(default_factory=list)
    validation: Validate = field(default_factory=Validate)
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
    store: str = MISSING
    sitters: SittersToRender | None = None
    sources: int = MISSING
    batch: int = MISSING
    mirror: float = MISSING
    workers: int = MISSING
    frames_on_device: bool = False
    seed: int = MISSING
    init: str | None = None
    new_layers_first: int = 0
    ckpt: str | None = None
    log_every: int = MISSING
    grid_every: int = MISSING
    save_every: int = MISSING
    keep_best: str | None = None
    stop_if_ill: bool = True

    def __post_init__(self) -> None:
        sides = [self.model.image_size, *smaller_sides(self.model)]
        for k, stage in enumerate(self.growing):
            if stage.side not in sides:
                raise HeadmimeError(
                    f"growing[{k}].side={stage.side}: this model (model.image_size="
                    f"{self.model.image_size}) can be trained at {' or '.join(map(str, sides))}."
                )
            if stage.episodes < 1 or stage.rate <= 0:
                raise HeadmimeError(
                    f"growing[{k}]: episodes={stage.episodes} must be at least 1, and"
                    f" rate={stage.rate} more than 0."
                )
        names = validation_terms(self.loss)
        if self.keep_best is not None and self.keep_best not in names:
            raise HeadmimeError(
                f"keep_best={self.keep_best}: with this objective it can be {', '.join(names)}, or"
                " null for the last weights only."
            )


def smaller_sides(shape: ModelShape) -> list[int]:
    """Sides below ``image_size`` that the networks can be trained at, the largest first.

    E and D must keep one pixel at their ends, and the generator four in its middle: instance norm
    of a single one is undefined.
    """
    size, levels = shape.image_size, len(shape.down_channels())
    halved = (size >> k for k in range(1, levels + 1))
    return [s for s in halved if s >> levels >= 1 and s >> shape.generator_levels >= 2]


ConfigStore.instance().store("train_schema", Train)
OmegaConf.register_new_resolver(
    "tasks", lambda devices: 1 if devices == "auto" else int(devices), replace=True
)
