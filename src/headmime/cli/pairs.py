"""`headmime animate`: one animation, or those of a list with the networks loaded once."""

import csv
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from hydra.utils import instantiate

from headmime.animate.driving import find_driving
from headmime.animate.model import Model, weights_stem
from headmime.animate.person import Person, person_stem
from headmime.animate.sources import find_files
from headmime.cli.person import (
    Animate,
    animate_one,
    check_animate,
    find_person,
    load_networks,
    stated_consent,
)
from headmime.cli.precautions import keep_learned
from headmime.errors import HeadmimeError, user_error
from headmime.files import sha256
from headmime.landmarks.faces import Detector
from headmime.nets.checkpoint import checkpoint_files
from headmime.pretrained.frozen import Frozen
from headmime.provenance.statement import parse_consent

log = logging.getLogger(__name__)

COLUMNS: dict[str, type] = {
    **dict.fromkeys(("source", "person", "driving", "out", "consent", "T"), str),
    **dict.fromkeys(("motion", "output", "audio"), str),
    "size": int,
    **dict.fromkeys(("fps", "start", "end"), float),
    **{f"strength.{part}": float for part in ("head", "mouth", "eyes", "expression")},
}
RECORD = ".made.jsonl"  # beside the list, after its name: which outputs were made, with which key


@dataclass(frozen=True)
class Pair:
    """A line of a list: its number and the settings of its animation."""

    line: int
    settings: Animate

    @property
    def person(self) -> str:
        """What the person is made of: pairs in which it is the same share the person."""
        s = self.settings
        made_of = [s.person, s.consent] if s.person else [*map(str, find_files(s.source)), s.T]
        return json.dumps(made_of)

    @property
    def out(self) -> Path:
        """The absolute path of the output."""
        return Path(self.settings.out).expanduser().absolute()

    def key(self) -> str:
        """Hash of the settings and of the bytes of all inputs."""
        s = self.settings
        settings = asdict(replace(s, pairs=None, out=self.out.suffix.lower(), device=""))
        inputs = [find_driving(s.driving)]
        inputs += checkpoint_files(person_stem(s.person) if s.person else weights_stem(s.weights))
        inputs += find_files(s.source) if s.source else []
        inputs += [] if s.audio in ("none", "driving") else [Path(s.audio).expanduser()]
        for name in ("source", "person", "driving", "audio", "weights"):
            settings.pop(name)
        settings |= {"inputs": [_sha256(file) for file in inputs], "silent": s.audio == "none"}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


_sha256 = cache(sha256)


def read_pairs(settings: Animate) -> list[Pair]:
    """The pairs of the list `settings.pairs`; what a line leaves empty is as in `settings`.

    A .csv with the names of the keys in its first line, or a .jsonl with an object in each.
    HeadmimeError if the list cannot be read, is empty, or has a key that pairs do not take.
    """
    file = Path(settings.pairs or "").expanduser()
    suffix = file.suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        raise HeadmimeError(f"pairs={file}: the name of a list must end in .csv or .jsonl.")
    try:
        with open(file, encoding="utf-8-sig", newline="") as opened:
            rows = list((_csv_rows if suffix == ".csv" else _json_rows)(opened))
    except (OSError, ValueError, csv.Error) as error:
        raise HeadmimeError(f"pairs={file} cannot be read as {suffix[1:]}: {error}.") from error
    if not rows:
        raise HeadmimeError(f"pairs={file} lists nothing.")
    return [Pair(line, _with_row(settings, row, f"{file}, line {line}")) for line, row in rows]


def _csv_rows(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(lines, skipinitialspace=True, strict=True)
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} has not as many columns as the first line")
        yield reader.line_num, row


def _json_rows(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no object")
            yield number, row


def _with_row(settings: Animate, row: dict[str, Any], where: str) -> Animate:
    changed: dict[str, Any] = {}
    strength: dict[str, Any] = {}
    for key, value in row.items():
        if key not in COLUMNS:
            raise HeadmimeError(f"{where}: {key!r} is no key of a pair: {', '.join(COLUMNS)}.")
        if value in ("", None):
            continue
        several = key == "source" and isinstance(value, list)
        try:
            typed = [str(one) for one in value] if several else COLUMNS[key](str(value))
        except (TypeError, ValueError) as error:
            raise HeadmimeError(f"{where}: {key}={value} is not a number.") from error
        if key.startswith("strength."):
            strength[key.removeprefix("strength.")] = typed
        else:
            changed[key] = [typed] if key == "source" and not several else typed
    if "source" in changed and "person" not in changed:
        changed["person"] = None
    if "person" in changed and "source" not in changed:
        changed["source"] = []
    return replace(settings, **changed, strength=replace(settings.strength, **strength))


def animate(settings: Animate) -> Iterator[Path]:
    """Check what can be checked, make or load the person, write the video; or those of a list."""
    detector = instantiate(settings.detector)
    if settings.pairs:
        yield from run_pairs(settings, detector)
        return
    check_animate(settings)
    person = find_person(settings, detector)
    learned = not settings.person and settings.finetune is not None
    with keep_learned(person, learned, Path(settings.out).expanduser().absolute()):
        out = animate_one(settings, person, detector)
    yield out


def run_pairs(settings: Animate, detector: Detector | None) -> Iterator[Path]:
    """Make all pairs, those of one person after each other; yield the outputs.

    A pair that fails does not end the run. Outputs that the list's record says were made with the
    same settings and inputs are skipped; others that exist are refused. HeadmimeError at the end,
    with a line for each pair that failed.
    """
    pairs = read_pairs(settings)
    record = Path(settings.pairs or "").expanduser()
    record = record.with_name(record.name + RECORD)
    failed: dict[int, str] = {}
    made = _read_record(record)
    groups: dict[str, list[Pair]] = {}
    skipped = 0
    taken: dict[Path, int] = {}
    for pair in pairs:
        with _telling([pair], failed):
            check_animate(pair.settings)
            if (first := taken.setdefault(pair.out, pair.line)) != pair.line:
                raise HeadmimeError(f"out={pair.out} is that of line {first} too.")
            if pair.out.exists() and made.get(str(pair.out)) == pair.key():
                skipped += 1
                continue
            if pair.out.exists():
                raise HeadmimeError(
                    f"out={pair.out} exists, and was not made by this list with these settings and "
                    "inputs: remove it, or name another."
                )
            groups.setdefault(pair.person, []).append(pair)
    if skipped:
        log.info("%d of %d pairs are made already.", skipped, len(pairs))
    networks: tuple[Model, Frozen | None] | None = None
    for group in groups.values():
        person: Person | None = None
        with _telling(group, failed):
            one = group[0].settings
            if one.source and networks is None:
                networks = load_networks(one)
            person = find_person(one, detector, networks)
        for pair in group if person is not None else ():
            log.info("Line %d: %s", pair.line, pair.out.name)
            out = None
            with _telling([pair], failed):
                key, own = pair.key(), person
                if not pair.settings.person:  # each line states a consent of its own
                    own = replace(person, consent=parse_consent(stated_consent(pair.settings)))
                out = animate_one(pair.settings, own, detector)
                with open(record, "a", encoding="utf-8") as file:
                    file.write(json.dumps({"out": str(pair.out), "key": key}) + "\n")
            if out is not None:
                yield out
    if failed:
        lines = [f"line {line}: {sentence}" for line, sentence in sorted(failed.items())]
        raise HeadmimeError(
            f"{len(failed)} of {len(pairs)} pairs were not made.\n" + "\n".join(lines)
        )


@contextmanager
def _telling(pairs: Iterable[Pair], failed: dict[int, str]) -> Iterator[None]:
    """Note for `pairs` what a user can mend, instead of raising it."""
    try:
        yield
    except Exception as error:
        told = user_error(error)
        if told is None:
            raise
        failed.update({pair.line: str(told) for pair in pairs})


def _read_record(record: Path) -> dict[str, str]:
    """Output -> key of those made before; the last entry of an output counts."""
    if not record.is_file():
        return {}
    entries = (line for line in record.read_text(encoding="utf-8").splitlines() if line)
    return {entry["out"]: entry["key"] for entry in map(json.loads, entries)}
