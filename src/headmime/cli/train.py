"""`headmime train`: meta-train the networks on a store of clips."""

import json
import logging
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import hydra
import pytorch_lightning as pl
import torch
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf
from pytorch_lightning.callbacks import RichProgressBar

from headmime.assets import weights_path
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.data import render
from headmime.data.module import EpisodeData
from headmime.errors import HeadmimeError
from headmime.learning.averaging import Averages
from headmime.learning.callbacks import Curves, Grids, Keep
from headmime.learning.meta import MetaLearning
from headmime.learning.settings import LossWeights, Optimisation
from headmime.learning.watch import Watch
from headmime.nets import Nets, build_nets
from headmime.nets.checkpoint import Record, load_nets, save_nets
from headmime.nets.shape import ModelShape
from headmime.provenance.origin import software_origin

log = logging.getLogger(__name__)
GRID_ROWS = 6


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
    """Lightning's own keys, as far as they make sense here."""

    max_epochs: int = 75
    max_time: str | None = None
    accelerator: str = "auto"
    devices: str = "auto"
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
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


@hydra.main(config_path=str(conf_folder()), config_name="train", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Compose, check everything that can be checked, train."""
    settings: Train = OmegaConf.to_object(config)
    folder = Path(HydraConfig.get().runtime.output_dir)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", "`isinstance\\(treespec, LeafSpec\\)` is deprecated")
    resume = _resume_from(settings.ckpt, folder)
    initial = load_nets(weights_path(settings.init)) if settings.init else None
    perceptual = instantiate(config.perceptual)
    _render_missing_sitters(settings)
    data = EpisodeData(
        settings.store,
        sources=settings.sources,
        batch=settings.batch,
        workers=settings.workers,
        seed=settings.seed,
        size=settings.model.image_size,
    )
    pl.seed_everything(settings.seed, workers=True, verbose=False)
    module = MetaLearning(
        _initial_nets(settings, initial),
        data.rows,
        perceptual,
        settings.loss,
        settings.optim,
    )
    record = _record(config, data, perceptual)
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n")
    watch = Watch(
        data.validation_batch(GRID_ROWS),
        folder / "checkpoints" / "last.ckpt",
        stop=settings.stop_if_ill,
    )
    averages = None if settings.ema.decay is None else Averages(settings.ema.decay)
    keep = _keep(settings, folder, record, watch, averages)
    trainer = pl.Trainer(
        **asdict(settings.trainer),
        logger=instantiate(config.logger),
        callbacks=_callbacks(settings, folder, watch, keep, averages),
        enable_checkpointing=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=1,
    )
    if trainer.world_size > 1:
        raise HeadmimeError(
            f"Training in {trainer.world_size} processes is not supported yet (W and the gradients"
            " would drift apart): set trainer.devices=1 trainer.num_nodes=1."
        )
    trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
    keep.keep(trainer, module)
    log.info("%s episodes seen; weights in %s", data.episodes, folder / "weights")


def _record(config: DictConfig, data: EpisodeData, perceptual: torch.nn.Module) -> Record:
    """What the weights will say of their origin."""
    return {
        "detector": data.detector,
        "origin": {
            **software_origin(),
            "config": OmegaConf.to_container(config),
            "experiment": HydraConfig.get().job.config_name,
            "seed": config.seed,
            "store": data.hash,
            "perceptual": perceptual.origin,
        },
    }


def _keep(
    settings: Train, folder: Path, record: Record, watch: Watch, averages: Averages | None
) -> Keep:
    def export(module: MetaLearning, seen: int) -> None:
        origin = {**record["origin"], "episodes": seen}
        stem = folder / "weights" / "nets"
        nets = module.nets if averages is None else averages.averaged(module.nets)
        save_nets(stem, nets, settings.model, {**record, "origin": origin}, torch.float16)

    return Keep(settings.save_every, watch.state, export, watch)


def _callbacks(
    settings: Train, folder: Path, watch: Watch, keep: Keep, averages: Averages | None
) -> list[pl.Callback]:
    grids = Grids(settings.grid_every, watch.batch, folder / "grids")
    bar = [RichProgressBar()] if settings.trainer.enable_progress_bar else []
    first = [watch] if averages is None else [averages, watch]
    return [*first, Curves(settings.log_every, watch), grids, keep, *bar]


def _resume_from(ckpt: str | None, folder: Path) -> Path | None:
    """`last` is the newest state of this run's folder; it must exist."""
    if ckpt is None:
        return None
    state = folder / "checkpoints" / "last.ckpt" if ckpt == "last" else Path(ckpt)
    if not state.is_file():
        raise HeadmimeError(f"ckpt={ckpt}: there is no {state}; leave `ckpt` out to start anew.")
    return state


def _initial_nets(settings: Train, initial: tuple[Nets, ModelShape, Record] | None) -> Nets:
    if initial is None:
        return build_nets(settings.model)
    nets, shape, _ = initial
    if shape != settings.model:
        raise HeadmimeError(
            f"init={settings.init} holds networks of another shape than `model` says: {shape}."
        )
    return nets


def _render_missing_sitters(settings: Train) -> None:
    if settings.sitters is None or (Path(settings.store) / "manifest.json").is_file():
        return
    log.info("%s is not there yet: rendering %s sitters.", settings.store, settings.sitters.n)
    size = settings.model.image_size
    render(**asdict(settings.sitters), out=settings.store, size=size)
