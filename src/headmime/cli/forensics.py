"""`headmime forensics`: how detectable is the output behind a table's row?"""

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from headmime.animate.model import torch_device
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.row_settings import Evaluate, check
from headmime.cli.rows import Rows
from headmime.errors import HeadmimeError
from headmime.evaluation.forensics.detectors import Detector, discriminator, probe, trained
from headmime.evaluation.forensics.lineup import lineups, through_h264, treated
from headmime.evaluation.forensics.trial import Finding, folds_of, judged
from headmime.evaluation.results import result_stem
from headmime.evaluation.trials import WITHOUT_TRUTH
from headmime.progress import progress
from headmime.provenance.origin import software_origin


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, make the frames, try every detector, print the AUCs."""
    settings: Evaluate = OmegaConf.to_object(config)
    check(settings, [settings.method], [settings.T])
    if settings.method == "real" or settings.mode in WITHOUT_TRUTH:
        raise HeadmimeError(
            "Forensics needs made frames and true ones: mode=self, not method=real."
        )
    rows = Rows(settings)
    result = {**_description(settings, rows), "findings": {}, "origin": software_origin()}
    print(f"{'AUC':26}  [95 % over people]")
    for name, treatment, finding in _findings(settings, rows):
        result["findings"].setdefault(treatment, {})[name] = asdict(finding)
        auc = finding.auc
        print(f"{name:16}{treatment:10}{auc.value:.3f}  [{auc.low:.3f}, {auc.high:.3f}]")
    print(_kept(Path(settings.forensics.out).expanduser(), result))


def _findings(settings: Evaluate, rows: Rows) -> Iterator[tuple[str, str, Finding]]:
    """(detector, treatment, finding), as they are made."""
    forensics = settings.forensics
    with progress("Frames") as on_trial:
        adapt = rows.animators.adapt(settings.method)
        found = lineups(rows.contest, adapt, settings.T, on_trial)
    groups = folds_of([one.person for one in found], forensics.folds, forensics.seed)
    nets = rows.animators.model_of(settings.method).nets
    device = torch_device(settings.device)
    detectors: dict[str, Detector] = {
        "discriminator": discriminator(nets),
        "linear probe": probe(rows.contest.scorers.features),
        "trained": trained(forensics.steps, forensics.seed, device),
    }
    h264 = treated(found, lambda frames: through_h264(frames, forensics.crf))
    for treatment, shown in (("raw", found), (f"crf {forensics.crf}", h264)):
        for name, detector in detectors.items():
            yield name, treatment, judged(shown, detector, groups)


def _description(settings: Evaluate, rows: Rows) -> dict[str, Any]:
    row = rows.description(settings.method, settings.T)
    chosen = {key: value for key, value in asdict(settings.forensics).items() if key != "out"}
    return {"row": row, "forensics": chosen}


def _kept(folder: Path, result: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result_stem({**result['row'], 'forensics': result['forensics']})}.json"
    partial = folder / f".{uuid.uuid4().hex}"
    partial.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(partial, file)
    return file
