"""Where the configuration lives, and what every verb does with it."""

import functools
from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig

from headmime.assets import beside_package
from headmime.assets import conf_folder as conf_folder
from headmime.errors import user_error


def experiments_folder() -> Path:
    """The folder of the experiments: small differences against the defaults."""
    return beside_package("experiments")


def plain_errors(task: Callable[[DictConfig], None]) -> Callable[[DictConfig], None]:
    """Make a verb leave with one sentence where the user can mend something.

    Hydra wraps exceptions of its task in lines of its own; SystemExit passes through untouched.
    The HeadmimeError stays its cause, so that `headmime --debug` can show where it came from.
    """

    @functools.wraps(task)
    def run(config: DictConfig) -> None:
        try:
            task(config)
        except Exception as error:
            told = user_error(error)
            if told is None:
                raise
            raise SystemExit(f"headmime: {told}") from error

    return run
