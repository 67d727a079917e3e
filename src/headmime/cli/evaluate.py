"""`headmime eval`: one row of a table, into one result file."""

import hydra
from omegaconf import DictConfig, OmegaConf

from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.row_settings import Evaluate, check
from headmime.cli.rows import Rows
from headmime.evaluation.results import read_result


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, evaluate, print the numbers and where they are."""
    settings: Evaluate = OmegaConf.to_object(config)
    check(settings, [settings.method], [settings.T])
    file = Rows(settings).run(settings.method, settings.T)
    for name, one in read_result(file).metrics.items():
        low, high = (f"{one[end]:.4f}" if one[end] is not None else "-" for end in ("low", "high"))
        note = f"  ({one['note']})" if "note" in one else ""
        print(f"{name:20}{one['value']:10.4f}  [{low}, {high}]  n {one['n']}{note}")
    print(file)
