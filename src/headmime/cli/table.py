"""`headmime table`: all rows of a data set, each into its result file; resumes where it stopped."""

from itertools import product

import hydra
from omegaconf import DictConfig, OmegaConf

from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.row_settings import Evaluate, check
from headmime.cli.rows import Rows
from headmime.errors import HeadmimeError
from headmime.evaluation.trials import WITHOUT_TRUTH


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, run row after row, print the files."""
    settings: Evaluate = OmegaConf.to_object(config)
    table = settings.table
    # Without true frames there is no ceiling.
    methods = [
        name for name in table.methods if name != "real" or settings.mode not in WITHOUT_TRUTH
    ]
    check(settings, methods, table.Ts)
    if not 0 <= table.part < table.parts:
        raise HeadmimeError(
            f"table.part={table.part} should be from 0 to table.parts={table.parts} minus 1."
        )
    rows = Rows(settings)
    mine = list(product(methods, table.Ts))[table.part :: table.parts]
    for number, (method, T) in enumerate(mine, start=1):
        print(rows.run(method, T, f"{number}/{len(mine)} "))
