"""Where the configuration lives, and what every verb does with it."""

import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_type_hints

import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from headmime.assets import beside_package
from headmime.assets import conf_folder as conf_folder
from headmime.errors import user_error


def experiments_folder() -> Path:
    """The folder of the experiments: small differences against the defaults."""
    return beside_package("experiments")


def run_verb(verb: Callable[[Any], Iterable[object] | None], config_name: str) -> None:
    """Compose conf/<config_name>.yaml with what was typed, call `verb` with the settings, and print
    what it yields. SystemExit(2) if a key without a default was not typed.
    """

    @hydra.main(config_path=str(conf_folder()), config_name=config_name, version_base="1.3")
    @plain_errors
    def main(config: DictConfig) -> None:
        if missing := sorted(OmegaConf.missing_keys(config)):
            print(f"headmime: {missing[0]}= is missing; --help lists the keys.", file=sys.stderr)
            raise SystemExit(2)
        for line in verb(OmegaConf.to_object(config)) or ():
            print(line, flush=True)

    main()


def register_schema(verb: Callable[[Any], object], config_name: str) -> None:
    """Make the class of the verb's parameter `settings` the schema of conf/<config_name>.yaml."""
    ConfigStore.instance().store(f"{config_name}_schema", get_type_hints(verb)["settings"])


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
