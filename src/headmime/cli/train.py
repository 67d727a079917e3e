"""`headmime train`: meta-train the networks on a store of clips."""

import logging
import os
import time
import warnings
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities import rank_zero_only

from headmime.animate.model import weights_stem
from headmime.cli import launch
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.train_schema import Train
from headmime.cli.training import TrainingRun, precision, train
from headmime.errors import HeadmimeError
from headmime.files import hold_lock
from headmime.learning.compilation import should_compile
from headmime.sitters.missing import render_missing

log = logging.getLogger(__name__)
# conf/hydra/launcher overrides configurations that hydra-submitit-launcher registers itself
warnings.filterwarnings("ignore", "\\n'hydra/launcher/submitit_", UserWarning)


@hydra.main(config_path=str(conf_folder()), config_name="train", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check the settings, then train in one process per device."""
    settings = OmegaConf.to_object(config)
    assert isinstance(settings, Train)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    hydra_config = HydraConfig.get()
    folder = Path(hydra_config.runtime.output_dir)
    resume = _resume_from(settings.ckpt, folder)
    _check_init(settings.init, None if resume else folder / "weights")
    t = settings.trainer
    placement = launch.resolve_placement(t.accelerator, t.devices, t.num_nodes)
    _render_missing_sitters(settings)
    composed, experiment = OmegaConf.to_container(config), hydra_config.job.config_name
    assert isinstance(composed, dict) and experiment is not None
    overrides = hydra_config.overrides.task
    run = TrainingRun(
        settings,
        composed,
        {
            "config.yaml": OmegaConf.to_yaml(config),
            "hydra.yaml": OmegaConf.to_yaml(OmegaConf.create({"hydra": hydra_config})),
            "overrides.yaml": OmegaConf.to_yaml(overrides),
        },
        experiment,
        folder,
        resume,
        placement,
        precision(t.precision, placement.device),
        should_compile(t.compile, placement.device),
    )
    with _lock(folder):
        if placement.processes == 1 or launch.is_launched():
            train(run)
        else:
            launch.launch(placement.devices, train, run)


def _lock(folder: Path) -> AbstractContextManager[None]:
    """The first process of a training locks its folder against other trainings."""
    if _rank() > 0:
        return nullcontext()
    return hold_lock(folder / ".lock", folder, "hydra.run.dir")


def _rank() -> int:
    return rank_zero_only.rank  # pyright: ignore[reportFunctionMemberAccess]  (Lightning sets it)


def _check_init(init: str | None, written: Path | None) -> None:
    """HeadmimeError if its files are missing, or in the folder where weights are `written`."""
    folder = weights_stem(init, "init").parent if init else None
    if folder and written and folder.resolve() == written.resolve():
        raise HeadmimeError(
            f"init={init} would be overwritten by this run: choose another hydra.run.dir=."
        )


def _resume_from(ckpt: str | None, folder: Path) -> Path | None:
    """Resolve `ckpt`: `last` is the newest state of this run's folder, which must exist; `auto` is
    `last` if it exists, otherwise None (a new training). HeadmimeError if a new training would
    overwrite a state.
    """
    last = folder / "checkpoints" / "last.ckpt"
    if ckpt is None:
        if "SUBMITIT_EXECUTOR" in os.environ:
            raise HeadmimeError(
                "A job that may be requeued would start a new training each time: give ckpt=auto."
            )
        if last.is_file():
            raise HeadmimeError(
                f"{folder} holds the state of a training: ckpt=auto resumes it, and"
                " hydra.run.dir=FOLDER starts another one elsewhere."
            )
        return None
    if ckpt == "auto":
        if not last.is_file():
            return None
        log.info("Resuming from %s", last)
        return last
    state = last if ckpt == "last" else Path(ckpt)
    if not state.is_file():
        raise HeadmimeError(
            f"ckpt={ckpt}: there is no {state}; omit `ckpt` to start a new training."
        )
    return state


def _render_missing_sitters(settings: Train) -> None:
    """Render the store of sitters if it is missing, in the first process; the others wait."""
    manifest = Path(settings.store) / "manifest.json"
    if settings.sitters is None or manifest.is_file():
        return
    while _rank() > 0 and not manifest.is_file():
        time.sleep(1)
    if _rank() == 0:
        size = settings.model.image_size
        render_missing(Path(settings.store), {**asdict(settings.sitters), "size": size})
