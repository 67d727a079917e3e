"""Trainings in processes of their own: for verbs that compare what they leave behind."""

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

    With ckpt=auto among the keys, an interrupted one goes on.
    """
    words = ["train", "-cn", experiment, *keys]
    log.info("headmime %s", shlex.join(words))
    words.append(f"hydra.run.dir={quote_path(str(folder))}")
    done = subprocess.run([sys.executable, "-m", "headmime.cli", *words], check=False)
    if done.returncode != 0:
        raise HeadmimeError(
            f"The training in {folder} ended with code {done.returncode} "
            "(see above); the same command goes on where it stopped."
        )


def check_keys(experiment: str, keys: Sequence[str]) -> None:
    """HeadmimeError if the training would not take the keys; nothing is trained."""
    words = ["train", "-cn", experiment, *keys, "--cfg", "job"]
    command = [sys.executable, "-m", "headmime.cli", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise HeadmimeError(f"`headmime {shlex.join(words[:-2])}`: {done.stderr.strip()}")
