"""What was typed, so that results say how they are made again."""

import re
import shlex
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser


def row_command(keys: Mapping[str, Any], known: Container[str]) -> str:
    """What to type to have the row of these keys again, wherever its files are kept: the words
    that were typed whose key is `known` to a single row, with `keys` in the place of others.
    """
    typed = [
        word
        for key, word in _typed_word()
        if key.partition(".")[0] in known and key not in ("results", "memory", *keys)
    ]
    return _command("eval", *typed, *(f"{key}={value}" for key, value in keys.items()))


def typed_command(verb: str) -> str:
    """What was typed: `headmime <verb> -cn ...` with its keys."""
    return _command(verb, *(word for _, word in _typed_word()))


def _command(verb: str, *words: str) -> str:
    return shlex.join(["headmime", verb, "-cn", HydraConfig.get().job.config_name, *words])


def _typed_word() -> Iterator[tuple[str, str]]:
    """(key, word). Paths reach Hydra in quotes that nobody typed (see `quote_path`)."""
    words = list(HydraConfig.get().overrides.task)
    for one in OverridesParser.create().parse_overrides(words):
        key, value = one.key_or_group, one.value()
        if key == "study":  # the verb says it
            continue
        yield key, f"{key}={value}" if isinstance(value, str) else one.input_line


def quote_path(path: str) -> str:
    """`path` as a quoted string of Hydra's grammar that means exactly `path`, with `~` expanded."""
    if path.startswith("~"):
        path = str(Path(path).expanduser())
    # OmegaConf would read `${` as an interpolation; a backslash counts only in front of one,
    # or (in Hydra's grammar) in front of a quote.
    text = re.sub(r"(\\*)\$\{", lambda found: 2 * found[1] + r"\${", path)
    text = re.sub(r"(\\*)'", lambda found: 2 * found[1] + r"\'", text)
    return "'" + re.sub(r"(\\+)\Z", r"\1\1", text) + "'"
