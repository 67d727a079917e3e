"""The keys of every verb, read from conf/: the comments there are their one description."""

import re
import textwrap
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from headmime.assets import conf_folder
from headmime.cli.verbs import VERBS

# `  - name: value  # what it is`, of which the name's depth says in which mapping it stands
LINE = re.compile(r"^( *)(?:- )?([\w/]+):(?:.*?\s# +(.*))?.*$", re.M)
REQUIRED = "???"


class Key(NamedTuple):
    """A key's default, as it would be typed, and what it means."""

    default: str
    meaning: str


def help_text(verb: str) -> str:
    """What a verb does, and a line for every one of its keys."""
    lines = _file(verb_configs(verb)[0]).read_text().splitlines()
    header = takewhile(lambda line: line.startswith("#"), lines)
    about = [line[2:] for line in header if not line.startswith("# @")]
    return "\n".join([f"headmime {verb}", *about, "", *_lines(verb_keys(verb))])


def top(name: str) -> str:
    """`a` of `a.b`."""
    return name.partition(".")[0]


def verb_configs(verb: str) -> tuple[str, ...]:
    """The configurations of conf/ that a verb's keys are in, its own first."""
    return VERBS[verb].configs or (verb.replace(" ", "_"),)


def verb_keys(verb: str) -> dict[str, Key]:
    """Every key of a verb that is described, by its dotted name."""
    found: dict[str, Key] = {}
    for config in verb_configs(verb):
        _add(found, read_keys(config))
    unused = ["hydra", *VERBS[verb].unused.split()]
    return {k: key for k, key in found.items() if key.meaning and top(k) not in unused}


def read_keys(config: str, group: str = "") -> dict[str, Key]:
    """The keys of conf/<config>.yaml (in `group`), then those that its defaults list brings: of a
    group the key itself, those of the choice that is made, and those that only other choices have.
    """
    import yaml

    text = _file(config).read_text()
    content, meanings = yaml.safe_load(text) or {}, _meanings(text)
    inside = f"{group}." if group and "@package _global_" not in text else ""
    defaults = content.pop("defaults", [])
    found = {inside + key: Key(_typed(one), meanings.get(key, "")) for key, one in _flat(content)}
    for item in defaults:
        if isinstance(item, str):
            inner = item[1:] if item.startswith("/") else str(Path(group) / item)
            if _file(inner).is_file():
                _add(found, read_keys(inner, group))
            continue
        ((name, choice),) = item.items()
        if meaning := meanings.get(f"defaults.{name}"):
            _add(found, _choices(name, choice, meaning))
    return found


def _choices(group: str, choice: str | None, meaning: str) -> dict[str, Key]:
    choices = sorted(file.stem for file in (conf_folder() / group).glob("*.yaml"))
    found = {group: Key(_typed(choice), f"{' | '.join(choices)}: {meaning}")}
    for name in sorted(choices, key=lambda name: name != choice):
        said = "" if name == choice else f"({name}) "
        for key, one in read_keys(f"{group}/{name}", group).items():
            _add(found, {key: Key(one.default, one.meaning and said + one.meaning)})
    return found


def _file(config: str) -> Path:
    return conf_folder() / f"{config}.yaml"


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
    tops = list(map(top, keys))
    for name in sorted(keys, key=lambda name: (tops.index(top(name)), "." in name)):
        default, meaning = keys[name]
        if default == REQUIRED:
            default, meaning = "", f"required; {meaning}"
        word = f"  {name}={default}"
        word = f"{word:29} " if len(word) < 30 else f"{word}\n{'':30}"
        first, *more = textwrap.wrap(meaning, 70) or [""]
        yield f"\n{'':30}".join([word + first, *more]).rstrip()
