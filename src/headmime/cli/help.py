"""`headmime VERB --help`: the keys of conf/, of which the comments there are the one description."""

import re
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# `  - name: value  # what it is`, of which the name's depth says in which mapping it stands
LINE = re.compile(r"^( *)(?:- )?([\w/]+):(?:.*?\s# +(.*))?.*$", re.M)
REQUIRED = "???"
COLUMNS = 100


@dataclass(frozen=True)
class Key:
    """A key's default, as it would be typed, and what it means."""

    default: str
    meaning: str


def help_text(verb: str, conf: Path, configs: tuple[str, ...]) -> str:
    """What a verb does, and a line for every key of its configurations."""
    header = re.match(r"(?:#.*\n)*", (conf / f"{configs[-1]}.yaml").read_text())[0]
    about = [line[2:] for line in header.splitlines() if not line.startswith("# @")]
    return "\n".join([f"headmime {verb}", *about, "", *_lines(verb_keys(conf, configs))])


def verb_keys(conf: Path, configs: tuple[str, ...]) -> dict[str, Key]:
    """Every key of a verb that is described, by its dotted name."""
    found: dict[str, Key] = {}
    for config in reversed(configs):
        _add(found, read_keys(conf, config))
    return {name: key for name, key in found.items() if key.meaning}


def read_keys(conf: Path, config: str, group: str = "") -> dict[str, Key]:
    """The keys of conf/<config>.yaml (in `group`), then those that its defaults list brings: of each
    group the key itself, those of the choice that is made, and those that only other choices have.
    """
    import yaml

    text = (conf / f"{config}.yaml").read_text()
    content, meanings = yaml.safe_load(text) or {}, _meanings(text)
    inside = f"{group}." if group and "@package _global_" not in text else ""
    defaults = content.pop("defaults", [])
    content.pop("hydra", None)
    found = {inside + key: Key(_typed(value), meanings[key]) for key, value in _flat(content)}
    for item in defaults:
        if isinstance(item, str):
            if (conf / group / f"{item}.yaml").is_file():
                _add(found, read_keys(conf, str(Path(group) / item), group))
            continue
        ((name, choice),) = item.items()
        if meaning := meanings.get(f"defaults.{name}"):
            _add(found, _choices(conf, name, choice, meaning))
    return found


def _choices(conf: Path, group: str, choice: str | None, meaning: str) -> dict[str, Key]:
    choices = sorted(file.stem for file in (conf / group).glob("*.yaml"))
    found = {group: Key(_typed(choice), f"{' | '.join(choices)}: {meaning}")}
    for name in sorted(choices, key=lambda name: name != choice):
        its = read_keys(conf, f"{group}/{name}", group)
        if name != choice:
            its = {
                key: Key(one.default, one.meaning and f"({name}) {one.meaning}")
                for key, one in its.items()
            }
        _add(found, its)
    return found


def _add(found: dict[str, Key], more: dict[str, Key]) -> None:
    """Whoever names a key first says its default, and its meaning unless it says none."""
    for name, key in more.items():
        first = found.get(name, key)
        found[name] = Key(first.default, first.meaning or key.meaning)


def _meanings(text: str) -> dict[str, str]:
    found, path = {}, []
    for indent, name, meaning in LINE.findall(text):
        path[len(indent) // 2 :] = [name]
        found[".".join(path)] = meaning
    return found


def _flat(content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, dict) and value:
            yield from ((f"{name}.{key}", leaf) for key, leaf in _flat(value))
        else:
            yield name, value


def _typed(value: Any) -> str:
    """A value of YAML as it is typed in `key=value`."""
    if isinstance(value, list):
        return f"[{','.join(map(_typed, value))}]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lines(keys: dict[str, Key]) -> Iterator[str]:
    width = min(shutil.get_terminal_size((COLUMNS, 0)).columns, COLUMNS)
    tops = [name.partition(".")[0] for name in keys]
    for name in sorted(keys, key=lambda name: (tops.index(name.partition(".")[0]), "." in name)):
        key = keys[name]
        word = f"  {name}={'' if key.default == REQUIRED else key.default}"
        meaning = f"required; {key.meaning}" if key.default == REQUIRED else key.meaning
        word = f"{word:29} " if len(word) < 30 else f"{word}\n{'':30}"
        first, *more = textwrap.wrap(meaning, max(width - 30, 30)) or [""]
        yield f"\n{'':30}".join([word + first, *more]).rstrip()
