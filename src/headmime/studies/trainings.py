"""Run trainings in subprocesses, for studies that compare their weights."""

import logging
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from headmime.benchmark.command import quote_path
from headmime.errors import HeadmimeError

log = logging.getLogger(__name__)


def train_in_subprocess(experiment: str, keys: Sequence[str], folder: Path) -> None:
    """Run `headmime train -cn <experiment> <keys>` into `folder`; HeadmimeError if it fails.

    With ckpt=auto among the keys, an interrupted training is resumed.
    """
    words = ["train", "-cn", experiment, *keys]
    log.info("headmime %s", shlex.join(words))
    words.append(f"hydra.run.dir={quote_path(str(folder))}")
    process = subprocess.run([sys.executable, "-m", "headmime.cli", *words], check=False)
    if process.returncode != 0:
        raise HeadmimeError(
            f"The training in {folder} ended with code {process.returncode} "
            "(see above); the same command resumes it."
        )


def check_keys(experiment: str, keys: Sequence[str]) -> None:
    """Raise HeadmimeError if `headmime train` rejects the keys; does not train."""
    words = ["train", "-cn", experiment, *keys, "--cfg", "job"]
    command = [sys.executable, "-m", "headmime.cli", *words]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    if process.returncode != 0:
        raise HeadmimeError(f"`headmime {shlex.join(words[:-2])}`: {process.stderr.strip()}")
