"""Mutations of bytes, JSON values and words of a command line."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**63, 10**30, 1.5, float("nan"), float("inf"), "", "x", "../../x",
    "\udcff", "é" * 300, "\x00", [], [[]], {}, {"": None}, [None] * 3,
)  # fmt: skip
TEXTS = (
    "", "null", "nan", "-1", "0", "1e400", "1.5", "true", "[]", "{}", "[1", "{a", "???", "'", '"',
    "${oc.env:NOTHING}", "${nothing}", "${", "a=b", "a:b", "\\", "a,b", "*", "~", "\udcff", "ü€😀",
    "x" * 300, "x" * 5000, "../../x", ".", "/", "a\nb", "\x1b[31m", "99999999999999999999", "cuda",
    "none", "all", "!!python/none", "@", "%", "#", "&", "$(x)", "`x`", "<x>", "a b", " ", "\t",
)  # fmt: skip
OPTIONS = (
    "--help", "-h", "--cfg", "--info", "-cn", "-cd", "--config-path", "-m",
    "--version", "--hydra-help", "--package", "--no-such", "-", "--", "hydra.run.dir=a=b",
    "+new=1", "++seed=1", "~seed", "hydra.job.name=x", "hydra/launcher=nothing", "finetune=nothing",
    "detector=nothing", "=", "=x", "seed", "seed==1", "[a,b]", "\udcff=1",
)  # fmt: skip


def change_bytes(file: Path, chance: Random) -> None:
    """A few changes, of kinds that disks, networks and attackers make."""
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        content = chance.choice(BYTES)(content, chance)
    file.write_bytes(content)


def _flip(content: bytearray, chance: Random) -> bytearray:
    if content:
        content[_place(content, chance)] ^= 1 << chance.randrange(8)
    return content


def _overwrite(content: bytearray, chance: Random) -> bytearray:
    start = _place(content, chance)
    noise = chance.randbytes(chance.choice((1, 2, 4, 64, 1024)))
    content[start : start + len(noise)] = noise
    return content


def _number(content: bytearray, chance: Random) -> bytearray:
    size, order = chance.choice((1, 2, 4, 8)), chance.choice(("little", "big"))
    value = chance.choice(NUMBERS) & (256**size - 1)
    start = _place(content, chance)
    content[start : start + size] = value.to_bytes(size, order)
    return content


def _truncate(content: bytearray, chance: Random) -> bytearray:
    return content[: chance.choice((0, 1, 16, _place(content, chance), len(content) - 1))]


def _delete(content: bytearray, chance: Random) -> bytearray:
    start = _place(content, chance)
    del content[start : start + chance.choice((1, 4, 512, len(content) // 4))]
    return content


def _repeat(content: bytearray, chance: Random) -> bytearray:
    start = _place(content, chance)
    part = content[start : start + chance.choice((1, 4, 512, len(content) // 4))]
    content[start:start] = part * chance.choice((1, 2, 50))
    return content


def _zero(content: bytearray, chance: Random) -> bytearray:
    start = _place(content, chance)
    count = min(len(content) - start, chance.choice((4, 512, 4096)))
    content[start : start + count] = bytes(count)
    return content


def _place(content: bytearray, chance: Random) -> int:
    """Headers are hit more often than their share of the file."""
    end = chance.choice((64, 1024, len(content), len(content)))
    return chance.randrange(max(1, min(end, len(content))))


BYTES = (_flip, _overwrite, _number, _truncate, _delete, _repeat, _zero)


def change_arrays(file: Path, chance: Random) -> None:
    """Of an .npz: values, shapes and types, in a whole archive."""
    with np.load(file) as content:
        arrays = {name: content[name] for name in content}
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(list(arrays))
        with suppress(TypeError, ValueError):  # the second of two may not fit
            arrays[name] = chance.choice(ARRAYS)(arrays[name], chance)
    np.savez(file, **arrays)


def _values(array: np.ndarray, chance: Random) -> np.ndarray:
    array = np.array(array, np.float64)
    value = chance.choice((np.nan, np.inf, -np.inf, 0, -1, 1e-30, 1e6, 1e30, 1e300))
    array.flat[chance.choice((0, slice(None), slice(0, None, 7), slice(0, 136)))] = value
    return array


ARRAYS: tuple[Callable[[np.ndarray, Random], np.ndarray], ...] = (
    _values,
    _values,
    lambda array, chance: array * chance.choice((-1, 0, 1e-6, 1e4, 1e20)),
    lambda array, chance: array.reshape(-1),
    lambda array, chance: array[..., None],
    lambda array, chance: array[:0] if array.ndim else array,
    lambda array, chance: array[:1] if array.ndim else array,
    lambda array, chance: np.array(None),
    lambda array, chance: array.astype(chance.choice(("U", "S", "c16", "bool", "i1", "M8[s]"))),
)


def change_json(file: Path, chance: Random) -> None:
    """Values replaced, removed, renamed or nested, at any depth; sometimes bytes."""
    if chance.random() < 0.15:
        change_bytes(file, chance)
        return
    content = json.loads(file.read_text())
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        content = _change_value(content, chance)
    file.write_text(json.dumps(content))


def _change_value(content: Any, chance: Random) -> Any:
    keys = list(content) if isinstance(content, dict) else list(range(_length(content)))
    if not keys or chance.random() < 0.1:
        return chance.choice(VALUES)
    key = chance.choice(keys)
    deeper = isinstance(content[key], (dict, list)) and chance.random() < 0.8
    match "deeper" if deeper else chance.choice(("replace", "replace", "remove", "nest", "near")):
        case "deeper":
            content[key] = _change_value(content[key], chance)
        case "replace":
            content[key] = chance.choice(VALUES)
        case "remove":
            del content[key]
        case "nest":
            content[key] = [content[key]]
        case "near":
            content[key] = _near(content[key], chance)
    return content


def _length(content: Any) -> int:
    return len(content) if isinstance(content, list) else 0


def _near(value: Any, chance: Random) -> Any:
    """A value of the same kind."""
    if isinstance(value, (int, float)):
        return chance.choice((value + 1, value - 1, -value, value * 1000, value * 2**40))
    if isinstance(value, str):
        return chance.choice((value + "x", value[1:], value.upper(), f"../{value}", value * 50))
    return value


def change_words(file: Path, chance: Random) -> None:
    """Of a command, one a line after the verb's: values, keys, options."""
    verb, *words = file.read_text().split("\n")
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(words) + 1)
        if at == len(words) or chance.random() < 0.15:
            words.insert(at, chance.choice(OPTIONS))
            continue
        key, _, value = words[at].partition("=")
        words[at] = chance.choice(WORDS)(key, value, chance)
    words = [word.replace("\0", "") for word in words]
    file.write_text("\x1e".join([verb, *words]), errors="surrogateescape")


def _scramble(word: str, chance: Random) -> str:
    letters = list(word)
    for _ in range(3):
        place = chance.randrange(len(letters) + 1)
        letters[place : place + chance.randrange(2)] = chance.choice(
            "[]{}()=,:'\"\\$~+@ .-0x\udcfeé"
        )
    return "".join(letters)


WORDS: tuple[Callable[[str, str, Random], str], ...] = (
    lambda key, value, chance: f"{key}={chance.choice(TEXTS)}",
    lambda key, value, chance: f"{key}={chance.choice(TEXTS)}",
    lambda key, value, chance: f"{key}={value}{chance.choice(TEXTS)}",
    lambda key, value, chance: f"{key}={_scramble(value, chance)}",
    lambda key, value, chance: f"{_scramble(key, chance)}={value}",
    lambda key, value, chance: f"{chance.choice(('+', '++', '~', '--', '-'))}{key}={value}",
    lambda key, value, chance: key,
)
