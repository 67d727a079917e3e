"""The command line before Hydra reads it: paths are quoted, experiments are found."""

import os
from collections.abc import Container, Sequence
from pathlib import Path

from headmime.benchmark.command import quote_path
from headmime.cli.help import REQUIRED, top, verb_configs, verb_keys
from headmime.cli.verbs import VERBS
from headmime.errors import HeadmimeError

_CONFIG_NAME = ("-cn", "--config-name")
_CONFIG_DIR = ("-cd", "--config-dir")
_MULTIRUN = ("-m", "--multirun")


# Last parts of keys whose values are taken literally, whatever characters they hold; and those of
# them that may be given several times: the values are collected in order.
PATHS = {
    "source", "out", "person", "driving", "audio", "weights", "weights_ff", "init", "ckpt", "root",
    "store", "frames", "results", "memory", "runs", "video", "template", "folder", "consent", "csv",
    "files", "trust", "file", "s3fd", "fan", "cert", "key", "watermark_key", "vgg19", "vggface",
    "scales", "pairs", "pattern",
}  # fmt: skip
REPEATED = {"source", "files", "trust"}
# Paths with ${...} of Hydra: taken literally but for that, unless they are quoted or escaped.
FOLDERS = {"hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"}


def prepare(name: str, arguments: Sequence[str], conf: Path, experiments: Path) -> list[str]:
    """What the user typed after the verb `name` -> what Hydra's command line understands."""
    words = _find_experiment(_split_options(arguments), conf, experiments)
    if files := VERBS[name].files:
        words = _name_files(words, files, {*map(top, verb_keys(name)), "hydra"})
    words = _quote_paths(words)
    group, _, study = verb_configs(name)[0].partition("/")
    return insert_key(words, f"{group}={study}") if study else words


def refuse(verb: str, words: Sequence[str]) -> str | None:
    """What is wrong with words that name a key of another verb, name one as an option, or leave a
    required one empty.
    """
    own = verb_keys(verb)
    tops = set(map(top, own))
    for word in words:
        if VERBS[verb].files and os.path.exists(word):  # False for what can be no name
            continue
        key, equals, value = word.partition("=")
        option = key.removeprefix("--").replace("-", "_")
        if key.startswith("--") and option in own:
            value = "true" if own[option].default == "false" else "VALUE"
            return f"{key} is not of the form key=value: type {option}={value}."
        if equals and not value and key in own and own[key].default == REQUIRED:
            return f"{key}= is missing; --help lists the keys."
        is_path = key.rpartition(".")[2] in PATHS if equals else bool(VERBS[verb].files)
        if is_path and os.path.expanduser(value if equals else word).startswith("~"):
            return f"{word}: there is no such user here; a name that begins so is written ./~."
        name = top(key.lstrip("+~"))
        if equals and name not in tops:
            others = [one for one in VERBS if name in map(top, verb_keys(one))]
            if others:
                return f"{verb} has no key {name}=; it is a key of {', '.join(others)}."
    return None


def _name_files(words: Sequence[str], files: Sequence[str], known: Container[str]) -> list[str]:
    """Words without a key -> `key=word`, with the keys `files` in order, of which one that may be
    repeated takes all. A file may have a `=` in its name.
    """
    left, named = list(files), []
    for word in words:
        key, equals, _ = word.partition("=")
        a_key = equals and (top(key) in known or not os.path.exists(word))
        if word.startswith("-") or a_key or not left:
            named.append(word)
            continue
        named.append(f"{left[0]}={word}")
        if left[0] not in REPEATED:
            left.pop(0)
    return named


def _split_options(arguments: Sequence[str]) -> list[str]:
    """`--config-name=x` -> `--config-name x`: one spelling for the rest of this file. `-m` comes
    first, since Hydra wants the key=value words in one piece.
    """
    words = ["-m"] if any(word in _MULTIRUN for word in arguments) else []
    arguments = [word for word in arguments if word not in _MULTIRUN]
    for word in arguments:
        name, equals, value = word.partition("=")
        if equals and name in _CONFIG_NAME + _CONFIG_DIR:
            words += [name, value]
        else:
            words.append(word)
    return words


def _find_experiment(words: list[str], conf: Path, experiments: Path) -> list[str]:
    """Let `-cn NAME` find experiments/NAME.yaml, and `-cn some/file.yaml` that file.

    Hydra takes one `--config-dir`: the experiment's, if there is one. The user's is then searched
    as well.
    """
    place, own = _place(words, _CONFIG_NAME), _place(words, _CONFIG_DIR)
    if place is None:
        return words
    name = words[place]
    folder, stem = experiments, name.removesuffix(".yaml")
    if own is not None and (Path(words[own]) / f"{stem}.yaml").is_file():
        return words
    if name.endswith((".yaml", ".yml")) and Path(name).is_file():
        folder, stem = Path(name).resolve().parent, Path(name).stem
    elif not any((where / f"{stem}.yaml").is_file() for where in (experiments, conf)):
        known = ", ".join(sorted(file.stem for file in experiments.glob("*.yaml")))
        raise HeadmimeError(
            f"There is no experiment named {name!r}; give the path of a YAML file or one of: "
            f"{known or '(none)'}."
        )
    found = [*words[:place], stem, *words[place + 1 :]]
    if own is None:
        return [*found, "--config-dir", str(folder)]
    if not Path(words[own]).is_dir():
        raise HeadmimeError(f"--config-dir {words[own]}: there is no such folder.")
    found[own] = str(folder)
    return insert_key(found, f"hydra.searchpath=[{quote_path(str(Path(words[own]).resolve()))}]")


def insert_key(words: list[str], key: str) -> list[str]:
    """`words` with one more `key=value`, before the others: Hydra wants them in one piece."""
    options = {n + 1 for n, word in enumerate(words) if word in _CONFIG_NAME + _CONFIG_DIR}
    keys = (n for n, word in enumerate(words) if "=" in word and n not in options)
    first = next(keys, len(words))
    return [*words[:first], key, *words[first:]]


def _place(words: list[str], option: Sequence[str]) -> int | None:
    """Where the value of an option is."""
    return next((n for n, word in enumerate(words) if n and words[n - 1] in option), None)


def _quote_paths(words: list[str]) -> list[str]:
    """Words with quoted paths; all values of a key of REPEATED, where its first one stood."""
    kept: list[str] = []
    values: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if key in FOLDERS and value and value[0] not in "'\"" and "\\" not in value:
            word = f"{key}={quote_path(value, interpolates=True)}"
        elif equals and key.rpartition(".")[2] in PATHS and value != "null":
            word = f"{key}={quote_path(value)}"
            if key in REPEATED:
                word, known = f"{key}=", f"{key}=" in values
                values.setdefault(word, []).extend([quote_path(value)] if value else [])
                if known:
                    continue
        kept.append(word)
    return [f"{word}[{','.join(values[word])}]" if word in values else word for word in kept]
