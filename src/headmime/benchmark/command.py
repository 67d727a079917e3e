"""Reconstruct the typed command, so that results record how to reproduce them."""

import re
import shlex
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser


def row_command(keys: Mapping[str, Any], known: Container[str]) -> str:
    """Command that reproduces the row with these keys: typed words whose key is `known` to a single
    row, overridden by `keys`, without output folders.
    """
    typed = [
        word
        for key, word in _typed_words()
        if key.partition(".")[0] in known and key not in ("results", "memory", *keys)
    ]
    return _command("eval", *typed, *(f"{key}={value}" for key, value in keys.items()))


def typed_command(verb: str) -> str:
    """The typed command: `headmime <verb> -cn ...` with its keys."""
    return _command(verb, *(word for _, word in _typed_words()))


def _command(verb: str, *words: str) -> str:
    experiment = HydraConfig.get().job.config_name
    assert experiment is not None
    return shlex.join(["headmime", verb, "-cn", experiment, *words])


def _typed_words() -> Iterator[tuple[str, str]]:
    """Yield (key, word), without the quotes that `quote_path` added to paths."""
    words = list(HydraConfig.get().overrides.task)
    for one in OverridesParser.create().parse_overrides(words):
        key, value = one.key_or_group, one.value()
        if key == "study":  # implied by the verb
            continue
        word = f"{key}={value}" if isinstance(value, str) else one.input_line
        assert word is not None
        yield key, word


def quote_path(path: str, interpolates: bool = False) -> str:
    """Quote `path` literally in Hydra's grammar, with `~` expanded; `interpolates`: except for
    `${...}`.
    """
    if path.startswith("~"):
        path = str(Path(path).expanduser())
    # OmegaConf reads `${` as an interpolation; a backslash is special only before one, or (in
    # Hydra's grammar) before a quote.
    dollar = "${" if interpolates else r"\${"
    text = re.sub(r"(\\*)\$\{", lambda found: 2 * found[1] + dollar, path)
    text = re.sub(r"(\\*)'", lambda found: 2 * found[1] + r"\'", text)
    return "'" + re.sub(r"(\\+)\Z", r"\1\1", text) + "'"
