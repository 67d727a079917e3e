"""`headmime recipe`: short trainings with one thing changed each, and what each of them buys."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.row_settings import MODELS, Evaluate, RecipeOfRows, check, check_only
from headmime.cli.rows import Rows, typed_command
from headmime.cli.trainings import check_keys, train_apart
from headmime.cli.written import write_text
from headmime.errors import HeadmimeError
from headmime.evaluation.memory import digest
from headmime.evaluation.recipe import Cell, Variant, tables
from headmime.evaluation.results import read_result
from headmime.nets.checkpoint import checkpoint_files
from headmime.provenance.origin import software_origin


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check, train what has not been trained, score what has not been scored, write the tables."""
    settings: Evaluate = OmegaConf.to_object(config)
    design = settings.recipe
    _check(settings)
    names = design.only or list(design.variants)
    missing = [name for name in names if not _finished(settings, name).is_file()]
    for name in missing:
        check_keys(design.experiment, _keys(settings, name))
    for name in missing:
        train_apart(design.experiment, _keys(settings, name), _folder(settings, name))
        write_text(_finished(settings, name), f"{' '.join(_keys(settings, name))}\n")
    variants = _scored(config, settings, names)
    out = Path(design.out).expanduser()
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "recipe.md", "\n".join(tables(variants)) + "\n")
    content = json.dumps(_record(settings, variants), indent=1, allow_nan=False)
    write_text(out / "recipe.json", content + "\n")
    print((out / "recipe.md").read_text())
    for name in ("recipe.md", "recipe.json"):
        print(out / name)


def _check(settings: Evaluate) -> None:
    """What can be known to be wrong before any work."""
    design = settings.recipe
    if not design.variants:
        raise HeadmimeError("recipe.variants is empty: -cn recipe has some.")
    check_only(design.only, design.variants, "recipe.variants", "{sources:4}")
    if design.minutes <= 0:
        raise HeadmimeError(f"recipe.minutes={design.minutes} should be more than 0.")
    others = [method for method in design.methods if method not in MODELS]
    if others:
        raise HeadmimeError(f"recipe.methods: {others[0]} is not trained; choose of ff, ft.")
    for mode, motion in design.modes.items():
        check(replace(settings, mode=mode, motion=motion), design.methods, design.Ts)


def _keys(settings: Evaluate, name: str) -> list[str]:
    """Every key of a variant's training."""
    design = settings.recipe
    minutes, seconds = divmod(round(60 * design.minutes), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    time = f"{days:02}:{hours:02}:{minutes:02}:{seconds:02}"
    own = [f"seed={settings.seed}", "ckpt=auto", *design.train, *_changes(design, name)]
    return [*own, f"trainer.max_time='{time}'"]


def _changes(design: RecipeOfRows, name: str) -> list[str]:
    """What the variant has for itself, as it is typed."""
    return [
        f"{key}={'null' if value is None else value}"
        for key, value in design.variants[name].items()
    ]


def _folder(settings: Evaluate, name: str) -> Path:
    """Where it is trained: another place for other keys."""
    design = settings.recipe
    key = digest([design.experiment, *_keys(settings, name)])[:8]
    return Path(design.runs).expanduser() / f"{name}-{key}"


def _finished(settings: Evaluate, name: str) -> Path:
    """Written when its time is over: the weights are there long before."""
    return _folder(settings, name) / "finished"


def _scored(config: DictConfig, settings: Evaluate, names: Sequence[str]) -> list[Variant]:
    design = settings.recipe
    variants = []
    for number, name in enumerate(names, start=1):
        weights = _folder(settings, name) / "weights" / "nets"
        files: dict[Cell, Path] = {}
        for mode, motion in design.modes.items():
            keys = {"weights": str(weights), "mode": mode, "motion": motion}
            rows = Rows(OmegaConf.to_object(OmegaConf.merge(config, keys)), keys)
            for method, T in product(design.methods, design.Ts):
                place = f"{number}/{len(names)} {name}: "
                files[mode, method, T] = rows.run(method, T, place)
        record = json.loads(checkpoint_files(weights)[1].read_text())
        episodes = record["origin"]["episodes"]
        variants.append(Variant(name, _changes(design, name), episodes, files))
    return variants


def _record(settings: Evaluate, variants: Sequence[Variant]) -> dict:
    """What made the numbers, and the numbers."""
    first = read_result(next(iter(variants[0].files.values())))
    design: RecipeOfRows = settings.recipe
    return {
        "origin": {
            **software_origin(),
            "command": typed_command("recipe"),
            "recipe": asdict(design),
            "finetune": asdict(settings.finetune),
            "dataset": settings.dataset,
            "split": settings.split,
            "store": first.row["store"],
            "scorers": first.scorers,
            "stand_in": first.stand_in,
        },
        "variants": [
            {
                "name": one.name,
                "keys": list(one.keys),
                "episodes": one.episodes,
                "rows": [_row(cell, file) for cell, file in one.files.items()],
            }
            for one in variants
        ],
    }


def _row(cell: Cell, file: Path) -> dict:
    result = read_result(file)
    mode, method, T = cell
    return {
        "mode": mode,
        "method": method,
        "T": T,
        "checkpoint": result.row["checkpoint"],
        "file": file.name,
        "metrics": result.metrics,
    }
