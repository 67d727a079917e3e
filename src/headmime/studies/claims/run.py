"""Test of the paper's claims: ceiling, trainings, rows, verdicts, plot."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import MISSING

from headmime.benchmark.rows import RowRunner, study_origin
from headmime.benchmark.settings import RowSettings, check, hold_outputs
from headmime.errors import HeadmimeError
from headmime.evaluation.metric_table import select_metrics
from headmime.evaluation.plots import require_matplotlib
from headmime.evaluation.results import SETS, Result, read_features, read_result, write_json
from headmime.evaluation.statistics import RESAMPLES, BootstrapDraws, mean_sample, set_sample
from headmime.progress import progress
from headmime.studies.claims.verdict import SAYS, Cell, Finding, Scores, claim_cells, findings
from headmime.studies.trainings import train_in_subprocess

log = logging.getLogger(__name__)
SET_DRAWS = 300  # of FID, which is slow
RULE = (
    "95 % paired bootstrap over identities and seeds, "
    f"{RESAMPLES} draws ({SET_DRAWS} for FID); docs/results/claims.md"
)


@dataclass
class Claims:
    """Keys of `headmime claims`: experiments `ff` and `ft` with each of `seeds`, compared at three
    `Ts`. `sitters` (n, frames, seed) are rendered into `store` if it is missing.
    """

    ff: str = MISSING
    ft: str = MISSING
    seeds: list[int] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    train: list[str] = field(default_factory=list)
    runs: str = MISSING
    sitters: dict[str, int] | None = None
    out: str = MISSING


@dataclass
class ClaimsSettings(RowSettings):
    """A row's keys, and those of the claims; conf/study/claims.yaml says what they mean."""

    claims: Claims = field(default_factory=Claims)


def run_claims(settings: ClaimsSettings) -> Iterator[str]:
    """Check the settings, render missing sitters, train, score; yield verdicts, then files."""
    _check(settings)
    with hold_outputs(settings, "claims"):
        yield from _run(settings)


def _run(settings: ClaimsSettings) -> Iterator[str]:
    design = settings.claims
    if design.sitters is not None:  # test data, with exact landmarks
        exact = {**design.sitters, "size": settings.size, "landmark_noise": 0.0}
        settings = replace(settings, sitters=exact)
    ceiling = read_result(RowRunner(settings).run("real", design.Ts[0], "ceiling: "))
    rank1 = ceiling.metrics["id_rank1"]
    log.info("id_rank1 of real frames: %.3f (n %d)", rank1["value"], rank1["n"])
    for seed in design.seeds:
        for experiment in (design.ff, design.ft):
            words = [f"seed={seed}", "ckpt=auto", *design.train]
            train_in_subprocess(experiment, words, _run_folder(design, experiment, seed))
    files = _rows(settings)
    scores, n = load_scores(files)
    results = findings(scores, design.Ts, rank1["value"], n)
    out = Path(design.out).expanduser()
    shared = _shared(settings, files, ceiling, n)
    record = write_json(out / "claims.json", [_entry(finding, shared) for finding in results])
    yield from (f"{one.claim} {SAYS[one.claim]}: {one.verdict}" for one in results)
    from headmime.evaluation.plots.quality import write_figure
    from headmime.studies.claims.plot import claims_figure

    stand_in = "; scored by stand-ins" if ceiling.stand_in else ""
    subtitle = f"{n[0]} identities, {n[1]} seeds{stand_in}; filled: the interval excludes 0"
    plots = write_figure(claims_figure(results, subtitle), out / "claims")
    yield from map(str, (record, *plots))


def _check(settings: ClaimsSettings) -> None:
    design = settings.claims
    if len(design.Ts) != 3 or list(design.Ts) != sorted(set(design.Ts)):
        raise HeadmimeError(
            f"claims.Ts={design.Ts} should be three increasing numbers, as [1, 8, 32]."
        )
    if not design.seeds:
        raise HeadmimeError("claims.seeds is empty: name at least one.")
    if settings.mode != "self" or settings.start != "own":
        raise HeadmimeError("The claims are about mode=self; claims choose start= themselves.")
    if settings.finetune.rehearsal:
        raise HeadmimeError("The claims compare starts of fine-tuning: finetune.rehearsal=0.")
    if settings.size is None:
        raise HeadmimeError("size= is missing: the side of the networks that are trained.")
    check(settings, ["ff", "ft", "real"], design.Ts)
    require_matplotlib()


def _run_folder(design: Claims, experiment: str, seed: int) -> Path:
    return Path(design.runs).expanduser() / experiment / str(seed)


def _rows(settings: ClaimsSettings) -> dict[Cell, list[Path]]:
    """Evaluate every cell with every seed, unless its result file exists; return the files."""
    design = settings.claims
    chosen = claim_cells(design.Ts)
    files: dict[Cell, list[Path]] = {cell: [] for cell in chosen}
    for place, seed in enumerate(design.seeds):
        ff, ft = (
            str(_run_folder(design, experiment, seed) / "weights" / "nets")
            for experiment in (design.ff, design.ft)
        )
        for start in dict.fromkeys(cell.start for cell in chosen):
            keys = {"weights_ff": ff, "weights": ft, "seed": seed, "start": start}
            finetune = replace(settings.finetune, seed=seed)
            rows = RowRunner(replace(settings, **keys, finetune=finetune), keys)
            for number, cell in enumerate(chosen, start=1):
                if cell.start == start:
                    where = f"{place * len(chosen) + number}/{len(design.seeds) * len(chosen)} "
                    files[cell].append(rows.run(cell.method, cell.T, where))
    return files


def load_scores(files: Mapping[Cell, Sequence[Path]]) -> tuple[Scores, tuple[int, int]]:
    """Load the scores of every cell from result files (one per seed), for the persons common to
    all; also return the numbers of persons and seeds.
    """
    table = select_metrics("claims")
    results = {cell: [read_result(file) for file in of_cell] for cell, of_cell in files.items()}
    features = {cell: [read_features(file) for file in of_cell] for cell, of_cell in files.items()}
    means = [name for name in table if name not in SETS]
    every = [one for of_cell in results.values() for one in of_cell]
    persons = sorted(set.intersection(*(set(one.persons[m]) for one in every for m in means)))
    seeds = len(next(iter(files.values())))
    draws, set_draws = (
        BootstrapDraws.of(len(persons), seeds, times) for times in (RESAMPLES, SET_DRAWS)
    )
    scores: dict[str, dict[Cell, Any]] = {metric: {} for metric in table}
    with progress("bootstrap") as on_cell:
        for done, cell in enumerate(files):
            on_cell(done, len(files))
            for metric in table:
                if metric in SETS:
                    common = [{name: one[name] for name in persons} for one in features[cell]]
                    scores[metric][cell] = set_sample(SETS[metric], common, set_draws)
                else:
                    values = [[one.persons[metric][p] for p in persons] for one in results[cell]]
                    scores[metric][cell] = mean_sample(np.array(values), draws)
        on_cell(len(files), len(files))
    return scores, (len(persons), seeds)


def _shared(
    settings: ClaimsSettings,
    files: Mapping[Cell, Sequence[Path]],
    ceiling: Result,
    n: tuple[int, int],
) -> dict[str, Any]:
    """Fields shared by all entries: sample sizes, ceiling and origin."""
    of_cells = {file: read_result(file) for of_cell in files.values() for file in of_cell}
    first = next(iter(of_cells.values()))
    real, fid = ceiling.metrics["id_rank1"], first.metrics["fid"]
    return {
        "n": {"identities": n[0], "seeds": n[1], "images": fid["n"]},
        "notes": {"fid": fid["note"]} if "note" in fid else {},
        "ceiling": {"id_rank1": real["value"], "interval": [real["low"], real["high"]]},
        "origin": {
            **study_origin("claims", settings, first),
            "rule": RULE,
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
