"""The loggers of a training; a resumed run goes on in the curves of its folder."""

import csv
import re
import warnings
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from headmime.errors import HeadmimeError
from headmime.files import write_atomically
from headmime.learning.checkpoint_io import AtomicCheckpointIO

WANDB_RUN = re.compile(r"(?:offline-)?run-(\d{8}_\d{6})-(.+)")


def open_loggers(
    settings: dict[str, dict[str, Any]], folder: Path, resume: Path | None
) -> list[Logger]:
    """Instantiate the loggers by name. A run that resumes a state of its own `folder` continues
    the last version of logs/ there and the W&B run; curves behind the state are dropped.
    """
    found = [int(path.name.split("_")[1]) for path in folder.glob("logs/version_[0-9]*")]
    version = max(found, default=-1) + 1
    episodes = None
    if resume is not None and resume.resolve().is_relative_to(folder.resolve()):
        episodes = AtomicCheckpointIO().load_checkpoint(resume)["EpisodeData"]["episodes"]
        version = max(found, default=0)
    # One version for all: each logger alone would take the next.
    more: dict[str, dict[str, Any]] = {
        "csv": {"version": version},
        "tensorboard": {"version": version},
        "wandb": {},
    }
    if episodes is not None:
        more["tensorboard"]["purge_step"] = episodes + 1
        if not settings.get("wandb", {}).get("id"):
            more["wandb"]["id"] = _wandb_id(folder)
    loggers = [_open(name, one | more.get(name, {})) for name, one in settings.items()]
    for logger in loggers:
        if isinstance(logger, CSVLogger) and episodes is not None:
            _continue_csv(logger, episodes)
    return loggers


def _open(name: str, settings: dict[str, Any]) -> Logger:
    if "tags" in settings:  # W&B takes words alone, and [baseline,64] has a number
        settings |= {"tags": [str(tag) for tag in settings["tags"]]}
    try:
        logger = instantiate(settings)
    except InstantiationException as error:
        if not isinstance(error.__cause__, ModuleNotFoundError):
            raise
        raise HeadmimeError(
            f"logger={name} needs a package that is missing: pip install 'headmime[{name}]'."
        ) from error
    if isinstance(logger, WandbLogger):
        _ = logger.experiment  # a login that is missing is said before any work
    return logger


def _wandb_id(folder: Path) -> str | None:
    """The id of the newest W&B run in `folder`, online or not."""
    names = [WANDB_RUN.fullmatch(path.name) for path in folder.glob("wandb/*")]
    return max((name.groups() for name in names if name), default=(None, None))[1]


@rank_zero_only
def _continue_csv(logger: CSVLogger, episodes: int) -> None:
    """Make `logger` append to its file, in which rows after `episodes` are dropped. Lightning's
    removes a file that is there, which therefore waits under another name.
    """
    file = Path(logger.log_dir, "metrics.csv")
    before = file.with_suffix(".before")
    if not before.is_file():  # else this was interrupted the last time
        if not file.is_file():
            return
        file.rename(before)
    lines = before.read_text().splitlines(keepends=True)
    reader = csv.DictReader(line for line in lines if line.endswith("\n"))  # the last may be torn
    rows = [row for row in reader if int(row["step"]) <= episodes]
    with warnings.catch_warnings(action="ignore"):
        writer = logger.experiment
    writer.metrics_keys = list(reader.fieldnames or [])
    with write_atomically(file) as partial, partial.open("w", newline="") as stream:
        kept = csv.DictWriter(stream, writer.metrics_keys)
        kept.writeheader()
        kept.writerows(rows)
    before.unlink()
