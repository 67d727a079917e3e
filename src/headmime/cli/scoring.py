"""What verbs that score need beside their studies: schemas, a page.

A verb's keys are those of a row (conf/evaluate.yaml) and those of its study (conf/study/).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from hydra.core.config_store import ConfigStore

from headmime.errors import HeadmimeError
from headmime.files import check_writable, write_text

SCHEMAS = {
    "evaluate": "benchmark.settings:RowSettings",
    "table": "benchmark.settings:TableSettings",
    "figures": "benchmark.figures:FiguresSettings",
    "claims": "studies.claims.run:ClaimsSettings",
    "curves": "studies.finetune_curves.run:CurvesSettings",
    "ablations": "studies.ablations.run:AblationsSettings",
    "protection": "studies.protection.run:ProtectionSettings",
    "forensics": "studies.forensics.run:ForensicsSettings",
    "userstudy": "studies.userstudy.prepare:UserStudySettings",
}


def register_schemas() -> None:
    """Make the keys of every study known to Hydra: an experiment may name any of them."""
    for name, schema in SCHEMAS.items():
        module, _, settings = schema.partition(":")
        node = getattr(import_module(f"headmime.{module}"), settings)
        ConfigStore.instance().store(f"{name}_schema", node)


@dataclass
class Report:
    """results: a folder of result files. out: the page."""

    results: str
    out: str


def report(settings: Report) -> Iterator[Path]:
    """`headmime report`: result files -> a page of tables (docs/results/results.md)."""
    from headmime.benchmark.report import report

    folder, out = Path(settings.results).expanduser(), Path(settings.out).expanduser()
    files = sorted(folder.glob("*.json"))
    if not files:
        raise HeadmimeError(f"{folder} holds no results: `make eval` and `make table1` make them.")
    check_writable(out, [*files, *folder.glob("*.npz")])
    page = report(files, " ".join(["headmime", "report", settings.results, settings.out]))
    write_text(out, page)
    yield out
