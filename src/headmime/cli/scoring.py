"""The verbs that score: eval, table, figures, claims, curves, ablations, forensics, report.

A verb's keys are those of a row (conf/evaluate.yaml) and those of its study (conf/study/).
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from headmime.cli.arguments import insert_key
from headmime.cli.config import conf_folder, plain_errors
from headmime.errors import HeadmimeError

SCHEMAS = (
    "benchmark.settings",
    "benchmark.figures",
    "studies.claims.run",
    "studies.finetune_curves.run",
    "studies.ablations.run",
    "studies.forensics.run",
    "studies.userstudy.prepare",
)


def eval_row() -> None:
    """`headmime eval`: one row of a table, its numbers, and the result file."""
    from headmime.benchmark.rows import run_row

    _run(None, run_row)


def table() -> None:
    """`headmime table`: all rows of a data set, each into its result file; resumes."""
    from headmime.benchmark.rows import run_table

    _run("table", run_table)


def figures() -> None:
    """`headmime figures`: images and plots of a table's rows."""
    from headmime.benchmark.figures import draw_figures

    _run("figures", draw_figures)


def claims() -> None:
    """`headmime claims`: do the paper's claims hold on sitters?"""
    from headmime.cli.data import render
    from headmime.studies.claims.run import run_claims

    _run("claims", lambda settings: run_claims(settings, render))


def curves() -> None:
    """`headmime curves`: identity, motion and sharpness over the length of a fine-tuning."""
    from headmime.studies.finetune_curves.run import run_curves

    _run("curves", run_curves)


def ablations() -> None:
    """`headmime ablations`: short trainings with one thing changed each; the tables are printed."""
    from headmime.studies.ablations.run import run_ablations

    def run(settings: Any) -> Iterator[Any]:
        page, record = run_ablations(settings)
        yield from (page.read_text(), page, record)

    _run("ablations", run)


def forensics() -> None:
    """`headmime forensics`: how detectable is the output behind a row?"""
    from headmime.studies.forensics.run import run_forensics

    _run("forensics", run_forensics)


def userstudy_prepare() -> None:
    """`headmime userstudy prepare`: the triplets of a study, from the rows of a table."""
    from headmime.studies.userstudy.prepare import run_prepare

    _run("userstudy", lambda settings: [run_prepare(settings)])


def report() -> None:
    """`headmime report`: result files -> docs/results/results.md."""
    from headmime.benchmark.report import report
    from headmime.files import write_text

    parser = argparse.ArgumentParser("headmime report", description="Tables from result files.")
    parser.add_argument("results", nargs="?", default="runs/results", help="folder of result files")
    parser.add_argument("out", nargs="?", default="docs/results/results.md", help="the page")
    given = parser.parse_args()
    folder, out = Path(given.results).expanduser(), Path(given.out).expanduser()
    files = sorted(folder.glob("*.json"))
    if not files:
        raise HeadmimeError(f"{folder} holds no results: `make eval` and `make table1` make them.")
    page = report(files, " ".join(["headmime", "report", *sys.argv[1:]]))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, page)
    print(out)


def register_schemas() -> None:
    """Make the keys of every study known to Hydra: an experiment may name any of them."""
    for module in SCHEMAS:
        import_module(f"headmime.{module}")


def _run(study: str | None, task: Callable[[Any], Iterable[Any]]) -> None:
    """Compose the settings, of the row and of conf/study/<study>.yaml, and print what comes."""

    @hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
    @plain_errors
    def main(config: DictConfig) -> None:
        for line in task(OmegaConf.to_object(config)):
            print(line)

    register_schemas()
    if study:
        sys.argv[1:] = insert_key(sys.argv[1:], f"study={study}")
    main()
