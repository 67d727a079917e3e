"""The training process of `headmime train`: build all components, train, save the result."""

import json
import logging
import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from pytorch_lightning.callbacks import LambdaCallback, RichProgressBar
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.plugins.environments import (
    LightningEnvironment,  # pyright: ignore[reportPrivateImportUsage]  (documented there)
    TorchElasticEnvironment,  # pyright: ignore[reportPrivateImportUsage]
)
from pytorch_lightning.utilities import rank_zero_only

from headmime.animate.model import weights_stem
from headmime.cli.launch import Placement
from headmime.cli.loggers import open_loggers
from headmime.cli.train_schema import Train
from headmime.data.module import EpisodeData, check_shared_memory
from headmime.errors import HeadmimeError
from headmime.files import check_writable, write_text
from headmime.learning.averaging import MovingAverages
from headmime.learning.callbacks import (
    CheckpointCallback,
    MetricLogger,
    ProgressLines,
    SampleGridCallback,
)
from headmime.learning.checkpoint_io import AtomicCheckpointIO
from headmime.learning.compilation import compiled_step
from headmime.learning.curriculum import Curriculum, side_at
from headmime.learning.distributed import ManualDDPStrategy
from headmime.learning.divergence_monitor import DivergenceMonitor
from headmime.learning.interruption import Interruption
from headmime.learning.meta import MetaLearning
from headmime.learning.resumption import Resumption
from headmime.learning.validation import Validation
from headmime.nets import Nets, build_nets
from headmime.nets.checkpoint import Record, load_nets, save_nets
from headmime.nets.inheritance import inherit
from headmime.precision import computes_in_bfloat16
from headmime.pretrained.frozen import Frozen
from headmime.provenance.origin import software_origin

log = logging.getLogger(__name__)
GRID_ROWS = 6
EMULATED = (
    "trainer.precision=bf16-mixed: this device has no instructions for bfloat16 and emulates it, "
    "7 to 15 times slower than float32, which trainer.precision=auto selects here."
)
NOT_DETERMINISTIC = (
    "trainer.deterministic=true: on CUDA, close-ups (loss.closeup) and downscaling images for "
    "EfficientNet have no deterministic gradient. Torch warns of them; all else is deterministic."
)
NOTHING_LEFT = (
    "This training was over: trainer.max_epochs=%s and trainer.max_time=%s count from its"
    " beginning, not from where it is resumed. Give more to go on."
)
WITHOUT_TEST = (
    '%s has no videos of the split "test": there is no validation, and no weights/best.* is saved.'
)


@dataclass(frozen=True)
class TrainingRun:
    """Picklable description of a training for each process. `config`: as recorded with the weights;
    `composed`: Hydra's files of it, name -> text; `precision`: Lightning's name; `compile`: whether
    the step is compiled.
    """

    settings: Train
    config: dict[Any, Any]
    composed: dict[str, str]
    experiment: str
    folder: Path
    resume: Path | None
    placement: Placement
    precision: str
    compile: bool


def train(run: TrainingRun) -> None:
    """Train in this process, as one of `run.placement.processes`."""
    settings = run.settings
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", "`isinstance\\(treespec, LeafSpec\\)` is deprecated")
    perceptual = instantiate(settings.perceptual)
    data = EpisodeData(
        settings.store,
        sources=settings.sources,
        batch=settings.batch * settings.optim.accumulate,
        workers=settings.workers,
        seed=settings.seed,
        size=settings.model.image_size,
        mirror=settings.mirror,
        side_at=partial(side_at, settings.growing, settings.model.image_size),
        on_device=settings.frames_on_device,
    )
    check_shared_memory(data, run.placement.devices)
    pl.seed_everything(settings.seed, workers=True, verbose=False)
    nets, inherited = _initial_nets(settings)
    module = MetaLearning(nets, data.videos, perceptual, settings.loss, settings.optim, inherited)
    record = _record(run, data, perceptual)
    monitor = DivergenceMonitor(
        data.validation_batch(GRID_ROWS),
        run.folder / "checkpoints" / "last.ckpt",
        stop=settings.stop_if_ill,
    )
    half_life = settings.ema.half_life
    averages = None if half_life is None else MovingAverages(half_life)
    averaged = (lambda nets: nets) if averages is None else averages.averaged_nets

    def save(name: str, nets: Nets, origin: dict[str, Any]) -> None:
        noted: Record = {**record, "origin": record["origin"] | origin}
        save_nets(run.folder / "weights" / name, nets, settings.model, noted, torch.float16)

    def export(module: MetaLearning, seen: int) -> None:
        save("nets", averaged(module.nets), {"episodes": seen})

    checkpoints = CheckpointCallback(settings.save_every, monitor.state, export, monitor)
    validation = _validation(settings, data, perceptual, averaged, partial(save, "best"))
    state = sum(12 * one.numel() for one in module.parameters())  # float32, and Adam's two
    rank_zero_only(check_writable)(monitor.state, key="hydra.run.dir", needed=state)
    before: list[int] = []

    def on_fit_start(trainer: pl.Trainer, module: pl.LightningModule) -> None:
        before.append(data.episodes)  # the state has been read
        if trainer.is_global_zero:
            _write_record(run, record)
        for logger in trainer.loggers:
            logger.log_hyperparams(run.config)

    callbacks = _callbacks(run, monitor, checkpoints, averages, validation)
    trainer = _trainer(run, [LambdaCallback(on_fit_start=on_fit_start), *callbacks])
    with compiled_step(module) if run.compile else nullcontext():
        trainer.fit(module, datamodule=data, ckpt_path=run.resume)
    if not data.episodes:  # max_epochs=0: Lightning calls no hook that saves
        checkpoints.run(trainer, module)
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.experiment.finish()  # else the next seed of a sweep goes on in it
    if trainer.is_global_zero:
        if run.resume and before == [data.episodes]:
            log.warning(NOTHING_LEFT, settings.trainer.max_epochs, settings.trainer.max_time)
        log.info("%s episodes seen; weights in %s", data.episodes, run.folder / "weights")


def _write_record(run: TrainingRun, record: Record) -> None:
    """Write what the run is, once nothing refuses it any more: the files of another run in its
    folder stay as they are until then.
    """
    (run.folder / ".hydra").mkdir(exist_ok=True)
    for name, text in run.composed.items():
        write_text(run.folder / ".hydra" / name, text)
    write_text(run.folder / "record.json", json.dumps(record, indent=1) + "\n")


def _trainer(run: TrainingRun, callbacks: list[pl.Callback]) -> pl.Trainer:
    several = run.placement.processes > 1
    settings = asdict(run.settings.trainer)
    del settings["compile"]
    benchmark = settings.pop("cudnn_benchmark")
    resolved = {
        "benchmark": benchmark and not settings["deterministic"],
        "profiler": instantiate(settings["profiler"]),
        "devices": run.placement.devices,
        "num_nodes": run.placement.nodes,
        "precision": run.precision,
        "deterministic": determinism(run.settings, run.placement.device),
        "enable_progress_bar": any(isinstance(one, RichProgressBar) for one in callbacks),
    }
    return pl.Trainer(
        **settings | resolved,
        strategy=ManualDDPStrategy() if several else "auto",
        plugins=[
            AtomicCheckpointIO(),
            TorchElasticEnvironment() if several else LightningEnvironment(),
        ],
        logger=open_loggers(run.settings.logger, run.folder, run.resume),
        callbacks=callbacks,
        enable_checkpointing=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        log_every_n_steps=1,
    )


def precision(requested: str, device: str) -> str:
    """Return Lightning's precision name; `auto` is bfloat16 if the device supports it natively."""
    native = computes_in_bfloat16(device)
    if requested == "bf16-mixed" and not native:
        rank_zero_only(log.warning)(EMULATED)
    if requested != "auto":
        return requested
    return "bf16-mixed" if native else "32-true"


def determinism(settings: Train, device: str) -> bool | Literal["warn"]:
    """Return Lightning's `deterministic`; `warn` if CUDA lacks deterministic gradients."""
    requested, perceptual = settings.trainer.deterministic, settings.perceptual["_target_"]
    lacking = settings.loss.closeup or "efficientnet" in perceptual
    if not requested or device != "cuda" or not lacking:
        return requested
    rank_zero_only(log.warning)(NOT_DETERMINISTIC)
    return "warn"


def _record(run: TrainingRun, data: EpisodeData, perceptual: Frozen) -> Record:
    """Record of the weights' origin."""
    return {
        "detector": data.detector,
        "origin": {
            **software_origin(),
            "config": run.config,
            "experiment": run.experiment,
            "processes": run.placement.processes,
            "seed": run.settings.seed,
            "store": data.hash,
            "perceptual": perceptual.origin,
            "precision": run.precision,
            "compiled": run.compile,
        },
    }


def _validation(
    settings: Train,
    data: EpisodeData,
    perceptual: Frozen,
    export: Callable[[Nets], Nets],
    save: Callable[[Nets, dict[str, Any]], None],
) -> list[Validation]:
    """Return the validation callback; none if disabled or without a test split."""
    held_out, v, best = data.held_out, settings.validation, settings.keep_best
    if v.every is None:
        return []
    if held_out is None:
        rank_zero_only(log.warning)(WITHOUT_TEST, settings.store)
        return []
    args = v.episodes, settings.batch, v.every, perceptual
    return [Validation(held_out, *args, export=export, keep_best=best, save=save)]


def _callbacks(
    run: TrainingRun,
    monitor: DivergenceMonitor,
    checkpoints: CheckpointCallback,
    averages: MovingAverages | None,
    validation: list[Validation],
) -> list[pl.Callback]:
    s = run.settings
    progress = [RichProgressBar() if sys.stdout.isatty() else ProgressLines()]
    # Callbacks that count batches come before `checkpoints`, which saves the counts.
    return [
        Curriculum(s.growing, s.model.image_size, s.optim.warmup, s.new_layers_first),
        *([] if averages is None else [averages]),
        monitor,
        MetricLogger(s.log_every, monitor),
        *validation,
        SampleGridCallback(s.grid_every, monitor.batch, run.folder / "grids"),
        Resumption(),
        checkpoints,
        Interruption(checkpoints),
        *(progress if s.trainer.enable_progress_bar else []),
    ]


def _initial_nets(settings: Train) -> tuple[Nets, list[str]]:
    """Return the initial networks, and the names of parameters inherited from smaller ones."""
    if settings.init is None:
        return build_nets(settings.model), []
    loaded, shape, _ = load_nets(weights_stem(settings.init, "init"))
    if shape == settings.model:
        return loaded, []
    nets = build_nets(settings.model)
    try:
        inherited = inherit(nets, settings.model, loaded, shape)
    except HeadmimeError as error:
        raise HeadmimeError(f"init={settings.init}: {error}") from error
    log.info(
        "%d of %d tensors come from %s (%d pixels); the others are new.",
        len(inherited),
        sum(len(list(net.parameters())) for net in nets),
        settings.init,
        shape.image_size,
    )
    return nets, inherited
