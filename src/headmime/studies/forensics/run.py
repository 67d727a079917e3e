"""Measure the detectability of a row's output, with every detector, raw and after h264."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from omegaconf import MISSING

from headmime.animate.model import torch_device
from headmime.benchmark.rows import RowRunner
from headmime.benchmark.settings import RowSettings, check
from headmime.errors import HeadmimeError
from headmime.evaluation.method_table import WITHOUT_TRUTH
from headmime.evaluation.metrics.identity import auc
from headmime.evaluation.results import result_stem, write_json
from headmime.evaluation.statistics import Estimate, set_estimate
from headmime.progress import progress
from headmime.provenance.origin import software_origin
from headmime.studies.forensics.detectors import (
    FakeDetector,
    LineupScores,
    convolutional,
    discriminator,
    probe,
)
from headmime.studies.forensics.lineup import Lineup, lineups, through_h264, treat_all


@dataclass
class Forensics:
    """Keys of `headmime forensics`; it writes to `out`."""

    crf: int = MISSING
    folds: int = MISSING
    steps: int = MISSING
    seed: int = MISSING
    out: str = MISSING


@dataclass
class ForensicsSettings(RowSettings):
    """A row's keys, and those of the detectors; conf/study/forensics.yaml says what they mean."""

    forensics: Forensics = field(default_factory=Forensics)


@dataclass(frozen=True)
class Detection:
    """A detector's AUC with 95 % interval over persons: 0.5 is chance, 1 is perfect detection.
    folds: AUC of each fold.
    """

    auc: Estimate
    folds: list[float]


def run_forensics(settings: ForensicsSettings) -> Iterator[str]:
    """Check the settings, generate frames, test detectors; yield a line for each, then the file."""
    check(settings, [settings.method], [settings.T])
    if settings.method == "real" or settings.mode in WITHOUT_TRUTH:
        raise HeadmimeError(
            "Forensics needs generated and true frames: mode=self, not method=real."
        )
    rows = RowRunner(settings)
    row = rows.description(settings.method, settings.T)
    chosen = {key: value for key, value in asdict(settings.forensics).items() if key != "out"}
    result = {"row": row, "forensics": chosen, "findings": {}, "origin": software_origin()}
    yield f"{'AUC':26}  [95 % over people]"
    for name, treatment, finding in _findings(settings, rows):
        result["findings"].setdefault(treatment, {})[name] = asdict(finding)
        value, low, high = finding.auc.value, finding.auc.low, finding.auc.high
        yield f"{name:16}{treatment:10}{value:.3f}  [{low:.3f}, {high:.3f}]"
    stem = result_stem({**row, "forensics": chosen})
    yield str(write_json(Path(settings.forensics.out).expanduser() / f"{stem}.json", result))


def _findings(settings: ForensicsSettings, rows: RowRunner) -> Iterator[tuple[str, str, Detection]]:
    """Yield (detector, treatment, finding)."""
    forensics = settings.forensics
    with progress("Frames") as on_trial:
        adapt = rows.methods.adapt(settings.method)
        assert adapt is not None  # method=real is rejected above
        raw = lineups(rows.context, adapt, settings.T, on_trial)
    groups = folds_of([one.person for one in raw], forensics.folds, forensics.seed)
    nets = rows.methods.model_of(settings.method).nets
    device = torch_device(settings.device)
    detectors: dict[str, FakeDetector] = {
        "discriminator": discriminator(nets),
        "linear probe": probe(rows.context.scorers.features),
        "trained": convolutional(forensics.steps, forensics.seed, device),
    }
    h264 = treat_all(raw, lambda frames: through_h264(frames, forensics.crf))
    for treatment, treated in (("raw", raw), (f"crf {forensics.crf}", h264)):
        for name, detector in detectors.items():
            yield name, treatment, cross_fit(treated, detector, groups)


def folds_of(persons: Sequence[str], folds: int, seed: int) -> list[list[str]]:
    """Split persons randomly into `folds` groups of about equal size."""
    names = sorted(set(persons))
    if not 2 <= folds <= len(names):
        raise HeadmimeError(
            f"forensics.folds={folds} should be from 2 to the number of people, {len(names)}."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    return [[names[k] for k in order[fold::folds]] for fold in range(folds)]


def cross_fit(
    all_lineups: Sequence[Lineup], detector: FakeDetector, groups: Sequence[Sequence[str]]
) -> Detection:
    """Cross-validate: score each group of persons with a detector trained on all others.

    Scores of different groups come from different detectors, so each group's scores are
    standardised by their mean and deviation before the pooled AUC.
    """
    scores: dict[str, list[LineupScores]] = {}
    by_fold = []
    for group in groups:
        mine = [one for one in all_lineups if one.person in group]
        raw = detector([one for one in all_lineups if one.person not in group], mine)
        every = np.concatenate([part for one in raw for part in one])
        mean, deviation = every.mean(), every.std() + 1e-12
        scaled = [LineupScores(*((part - mean) / deviation for part in one)) for one in raw]
        by_fold.append(auc(*_pool(scaled)))
        for one, its in zip(mine, scaled, strict=True):
            scores.setdefault(one.person, []).append(its)
    pooled = {person: _pool(its) for person, its in scores.items()}
    return Detection(set_estimate(auc, pooled), by_fold)


def _pool(scores: Sequence[LineupScores]) -> tuple[np.ndarray, np.ndarray]:
    real, fake = zip(*scores, strict=True)
    return np.concatenate(real), np.concatenate(fake)
