"""Short trainings with one thing changed each, scored: what each of the changes buys."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from headmime.benchmark.rows import RowRunner, open_store, study_origin
from headmime.benchmark.settings import RowSettings, check, check_only, hold_outputs
from headmime.errors import HeadmimeError
from headmime.evaluation.cache import digest
from headmime.evaluation.method_table import METHODS
from headmime.evaluation.results import read_result, write_json
from headmime.files import write_text
from headmime.nets.checkpoint import checkpoint_files
from headmime.studies.ablations.table import RowKey, Variant, tables
from headmime.studies.trainings import check_keys, train_in_subprocess


@dataclass
class Ablations:
    """What `headmime ablations` trains: `experiment` with the keys of each of `variants` (or those
    in `only`) for `minutes` (None: as long as it says); then scores with all `Ts` and `methods` in
    `modes` (mode -> motion).
    """

    experiment: str = MISSING
    minutes: float | None = MISSING
    variants: dict[str, dict[str, Any]] = field(default_factory=dict)
    only: list[str] = field(default_factory=list)
    train: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)
    runs: str = MISSING
    out: str = MISSING


@dataclass
class AblationsSettings(RowSettings):
    """A row's keys, and those of the trainings; conf/study/ablations.yaml says what they mean."""

    ablations: Ablations = field(default_factory=Ablations)


def run_ablations(settings: AblationsSettings) -> Iterator[str]:
    """Check, train what has not been trained, score what has not been scored: the tables, and the
    files of them and of all numbers.
    """
    _check(settings)
    with hold_outputs(settings, "ablations"):
        yield from _run(settings)


def _run(settings: AblationsSettings) -> Iterator[str]:
    design = settings.ablations
    names = design.only or list(design.variants)
    missing = [name for name in names if not _marker_file(settings, name).is_file()]
    for name in missing:
        check_keys(design.experiment, _keys(settings, name))
    for name in missing:
        train_in_subprocess(design.experiment, _keys(settings, name), _folder(settings, name))
        write_text(_marker_file(settings, name), f"{' '.join(_keys(settings, name))}\n")
    variants = _score(settings, names)
    out = Path(design.out).expanduser()
    record = write_json(out / "ablations.json", _record(settings, variants))
    page = "\n".join(tables(variants)) + "\n"
    write_text(out / "ablations.md", page)
    yield from (page, str(out / "ablations.md"), str(record))


def _check(settings: AblationsSettings) -> None:
    """What can be known to be wrong before any work."""
    design = settings.ablations
    if not design.variants:
        raise HeadmimeError("ablations.variants is empty: -cn ablations has some.")
    check_only(design.only, design.variants, "ablations.variants", "{sources:4}")
    if design.minutes is not None and design.minutes <= 0:
        raise HeadmimeError(f"ablations.minutes={design.minutes} should be more than 0.")
    for method in design.methods:
        if method not in METHODS or not METHODS[method].learned:
            raise HeadmimeError(f"ablations.methods: {method} is not trained; choose of ff, ft.")
    for mode, motion in design.modes.items():
        check(replace(settings, mode=mode, motion=motion), design.methods, design.Ts)
    open_store(settings)


def _keys(settings: AblationsSettings, name: str) -> list[str]:
    """Every key of a variant's training."""
    design = settings.ablations
    own = [f"seed={settings.seed}", "ckpt=auto", *design.train, *_changes(design, name)]
    return [*own, f"trainer.max_time={_max_time(design.minutes)}"]


def _max_time(minutes: float | None) -> str:
    """Lightning's dd:hh:mm:ss, in quotes; null: as long as the epochs take."""
    if minutes is None:
        return "null"
    minute, second = divmod(round(60 * minutes), 60)
    hour, minute = divmod(minute, 60)
    day, hour = divmod(hour, 24)
    return f"'{day:02}:{hour:02}:{minute:02}:{second:02}'"


def _changes(design: Ablations, name: str) -> list[str]:
    """What the variant has for itself, as it is typed."""
    return [
        f"{key}={'null' if value is None else value}"
        for key, value in design.variants[name].items()
    ]


def _folder(settings: AblationsSettings, name: str) -> Path:
    """Where it is trained: another place for other keys."""
    design = settings.ablations
    key = digest([design.experiment, *_keys(settings, name)])[:8]
    return Path(design.runs).expanduser() / f"{name}-{key}"


def _marker_file(settings: AblationsSettings, name: str) -> Path:
    """Written when its time is over: the weights are there long before."""
    return _folder(settings, name) / "finished"


def _score(settings: AblationsSettings, names: Sequence[str]) -> list[Variant]:
    design = settings.ablations
    variants = []
    for number, name in enumerate(names, start=1):
        weights = _folder(settings, name) / "weights" / "nets"
        files: dict[RowKey, Path] = {}
        for mode, motion in design.modes.items():
            keys = {"weights": str(weights), "mode": mode, "motion": motion}
            rows = RowRunner(replace(settings, **keys), keys)
            for method, T in product(design.methods, design.Ts):
                place = f"{number}/{len(names)} {name}: "
                files[mode, method, T] = rows.run(method, T, place)
        record = json.loads(checkpoint_files(weights)[1].read_text("utf-8"))
        episodes = record["origin"]["episodes"]
        variants.append(Variant(name, _changes(design, name), episodes, files))
    return variants


def _record(settings: AblationsSettings, variants: Sequence[Variant]) -> dict:
    """What made the numbers, and the numbers."""
    first = read_result(next(iter(variants[0].files.values())))
    content = []
    for one in variants:
        rows = []
        for file in one.files.values():
            result = read_result(file)
            row = {key: result.row[key] for key in ("mode", "method", "T", "checkpoint")}
            rows.append({**row, "file": file.name, "metrics": result.metrics})
        made = {"name": one.name, "keys": list(one.keys), "episodes": one.episodes}
        content.append({**made, "rows": rows})
    return {"origin": study_origin("ablations", settings, first), "variants": content}
