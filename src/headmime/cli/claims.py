"""`headmime claims`: do the paper's claims hold on sitters? Trainings, rows, verdicts, a plot."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import DictConfig, OmegaConf

from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.data import render
from headmime.cli.row_settings import ClaimsOfRows, Evaluate, check
from headmime.cli.rows import Rows, typed_command
from headmime.cli.trainings import train_apart
from headmime.cli.written import write_text
from headmime.errors import HeadmimeError
from headmime.evaluation.claims import SAYS, TABLE, Cell, Finding, Scores, cells, findings
from headmime.evaluation.paired import DRAWS, SET_DRAWS, Draws, mean_sample, set_sample
from headmime.evaluation.results import SETS, Result, read_features, read_result
from headmime.progress import progress
from headmime.provenance.origin import software_origin

log = logging.getLogger(__name__)
RULE = (
    "95 % paired bootstrap over identities and seeds, "
    f"{DRAWS} draws ({SET_DRAWS} for FID); docs/claims.md"
)


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check, then the ceiling, the trainings, the rows, and what they say of the claims."""
    settings: Evaluate = OmegaConf.to_object(config)
    design = settings.claims
    _check(settings)
    plot = _plot()
    _render_missing(settings)
    ceiling = read_result(Rows(settings).run("real", design.Ts[0], "ceiling: "))
    found = ceiling.metrics["id_rank1"]
    log.info("id_rank1 of real frames: %.3f (n %d)", found["value"], found["n"])
    for seed in design.seeds:
        for experiment in (design.ff, design.ft):
            words = [f"seed={seed}", "ckpt=auto", *design.train]
            train_apart(experiment, words, _run_folder(design, experiment, seed))
    files = _rows(config, design)
    scores, n = scores_of(files)
    results = findings(scores, design.Ts, found["value"], n)
    out = Path(design.out).expanduser()
    out.mkdir(parents=True, exist_ok=True)
    shared = _shared(settings, files, ceiling, n)
    entries = [_entry(finding, shared) for finding in results]
    content = json.dumps(entries, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(out / "claims.json", content + "\n")
    for one in results:
        print(f"{one.claim} {SAYS[one.claim]}: {one.verdict}")
    stand_in = "; scored by stand-ins" if ceiling.stand_in else ""
    subtitle = f"{n[0]} identities, {n[1]} seeds{stand_in}; filled: the interval excludes 0"
    for file in (out / "claims.json", *plot(results, subtitle, out / "claims")):
        print(file)


def _check(settings: Evaluate) -> None:
    design = settings.claims
    if len(design.Ts) != 3 or list(design.Ts) != sorted(set(design.Ts)):
        raise HeadmimeError(f"claims.Ts={design.Ts} should be three rising numbers, as [1, 8, 32].")
    if not design.seeds:
        raise HeadmimeError("claims.seeds is empty: name at least one.")
    if settings.mode != "self" or settings.start != "own":
        raise HeadmimeError("The claims are about mode=self; claims choose start= themselves.")
    if settings.finetune.rehearsal:
        raise HeadmimeError("The claims compare starts of fine-tuning: finetune.rehearsal=0.")
    if settings.size is None:
        raise HeadmimeError("size= is missing: the side of the networks that are trained.")
    check(settings, ["ff", "ft", "real"], design.Ts)


def _plot() -> Callable[[Sequence[Finding], str, Path], list[Path]]:
    """What draws findings; asked for first, so that its package is not missed after hours."""
    try:
        from headmime.evaluation.figures.claims import claims_figure
        from headmime.evaluation.figures.quality import write_figure
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"The plot needs the package {missing.name}: pip install 'headmime[evaluation]'."
        ) from missing
    return lambda found, subtitle, stem: write_figure(claims_figure(found, subtitle), stem)


def _render_missing(settings: Evaluate) -> None:
    """The people to test on. They have exact landmarks, as every split that tests."""
    sitters, folder = settings.claims.sitters, Path(settings.store).expanduser()
    if sitters is not None and not (folder / "manifest.json").is_file():
        log.info("%s is not there yet: rendering %d sitters.", folder, sitters.n)
        render(**asdict(sitters), out=str(folder), size=settings.size, landmark_noise=0.0)


def _run_folder(design: ClaimsOfRows, experiment: str, seed: int) -> Path:
    return Path(design.runs).expanduser() / experiment / str(seed)


def _rows(config: DictConfig, design: ClaimsOfRows) -> dict[Cell, list[Path]]:
    """The result files of every cell, one per seed; those that are there are not made again."""
    chosen = cells(design.Ts)
    files: dict[Cell, list[Path]] = {cell: [] for cell in chosen}
    for place, seed in enumerate(design.seeds):
        weights = {
            key: str(_run_folder(design, experiment, seed) / "weights" / "nets")
            for key, experiment in (("weights_ff", design.ff), ("weights", design.ft))
        }
        for start in dict.fromkeys(cell.start for cell in chosen):
            keys = {**weights, "seed": seed, "start": start}
            rows = Rows(OmegaConf.to_object(OmegaConf.merge(config, keys)), keys)
            for number, cell in enumerate(chosen, start=1):
                if cell.start == start:
                    where = f"{place * len(chosen) + number}/{len(design.seeds) * len(chosen)} "
                    files[cell].append(rows.run(cell.method, cell.T, where))
    return files


def scores_of(files: Mapping[Cell, Sequence[Path]]) -> tuple[Scores, tuple[int, int]]:
    """What result files (one per seed) say of every cell, for the persons that all of them have;
    and how many persons and seeds these are.
    """
    results = {cell: [read_result(file) for file in of_cell] for cell, of_cell in files.items()}
    features = {cell: [read_features(file) for file in of_cell] for cell, of_cell in files.items()}
    persons = sorted(
        set.intersection(*(_persons(one) for of_cell in results.values() for one in of_cell))
    )
    seeds = len(next(iter(files.values())))
    draws, set_draws = (Draws.of(len(persons), seeds, times) for times in (DRAWS, SET_DRAWS))
    scores: dict[str, dict[Cell, Any]] = {metric: {} for metric in TABLE}
    with progress("bootstrap") as on_cell:
        for done, cell in enumerate(files):
            on_cell(done, len(files))
            for metric in TABLE:
                if metric in SETS:
                    kept = [{name: one[name] for name in persons} for one in features[cell]]
                    scores[metric][cell] = set_sample(SETS[metric], kept, set_draws)
                else:
                    values = [[one.persons[metric][p] for p in persons] for one in results[cell]]
                    scores[metric][cell] = mean_sample(np.array(values), draws)
        on_cell(len(files), len(files))
    return scores, (len(persons), seeds)


def _persons(result: Result) -> set[str]:
    return set.intersection(*(set(result.persons[name]) for name in TABLE if name not in SETS))


def _shared(
    settings: Evaluate,
    files: Mapping[Cell, Sequence[Path]],
    ceiling: Result,
    n: tuple[int, int],
) -> dict[str, Any]:
    """What all entries have in common: how many, the ceiling, and where it all comes from."""
    of_cells = {file: read_result(file) for of_cell in files.values() for file in of_cell}
    first = next(iter(of_cells.values()))
    real, fid = ceiling.metrics["id_rank1"], first.metrics["fid"]
    return {
        "n": {"identities": n[0], "seeds": n[1], "images": fid["n"]},
        "notes": {"fid": fid["note"]} if "note" in fid else {},
        "ceiling": {"id_rank1": real["value"], "interval": [real["low"], real["high"]]},
        "origin": {
            **software_origin(),
            "command": typed_command("claims"),
            "rule": RULE,
            "claims": asdict(settings.claims),
            "store": first.row["store"],
            "finetune": asdict(settings.finetune),
            "scorers": first.scorers,
            "stand_in": first.stand_in,
            "checkpoints": sorted({one.row["checkpoint"] for one in of_cells.values()}),
            "results": [file.name for file in of_cells],
        },
    }


def _entry(finding: Finding, shared: Mapping[str, Any]) -> dict[str, Any]:
    differences = {one.name: one.difference for one in finding.relations}
    return {
        "claim": finding.claim,
        "says": SAYS[finding.claim],
        "verdict": finding.verdict,
        "numbers": {name: one.value for name, one in differences.items()},
        "interval": {name: list(one.interval) for name, one in differences.items()},
        **shared,
    }
