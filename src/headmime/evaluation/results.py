"""Result of a row as a JSON file, with all settings that it depends on."""

import json
import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from headmime.errors import HeadmimeError
from headmime.evaluation.cache import digest, write_arrays
from headmime.evaluation.evaluate import Row
from headmime.evaluation.metric_table import METRICS
from headmime.evaluation.metrics.distribution import fid, kid
from headmime.evaluation.statistics import (
    Estimate,
    Features,
    Statistic,
    mean_estimate,
    paired_difference,
    paired_set_difference,
    set_estimate,
)
from headmime.files import write_text
from headmime.provenance.origin import software_origin

FORMAT = 1
SETS: dict[str, Statistic] = {"fid": fid, "kid": kid}


class HasSettings(Protocol):
    """An object with the settings that produced it."""

    @property
    def row(self) -> dict[str, Any]:
        """All settings that the numbers depend on."""
        ...


HasRow = TypeVar("HasRow", bound=HasSettings)


@dataclass(frozen=True)
class Result:
    """Content of a result file.

    row: all settings that the numbers depend on (their hash is in the file name). metrics: by name,
    value, low, high (95 %), n (frames, or trials), identities, optional note. persons: each
    person's mean, by metric. scorers, origin: provenance. left_out: number of videos that were too
    short.
    """

    row: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    persons: dict[str, dict[str, float]]
    scorers: dict[str, dict[str, Any]]
    stand_in: bool
    left_out: int
    origin: dict[str, Any]

    @property
    def stem(self) -> str:
        """File name without suffix."""
        return result_stem(self.row)


def result_stem(row: Mapping[str, Any]) -> str:
    """`<mode>-<method>-T<T>-<hash of all settings>`."""
    return f"{row['mode']}-{row['method']}-T{row['T']}-{digest(dict(row))[:12]}"


def summarise(
    settings: dict[str, Any],
    row: Row,
    scorers: dict[str, dict[str, Any]],
    stand_in: bool,
    left_out: int,
) -> Result:
    """Average over each person's frames, then over persons; FID and KID over all frames."""
    metrics, persons = {}, {}
    for name in METRICS:
        values = values_by_person(row, name)
        if values:
            persons[name] = {person: float(v.mean()) for person, v in values.items()}
            n = sum(len(v) for v in values.values())
            metrics[name] = {**asdict(mean_estimate(persons[name])), "n": n}
    features = features_by_person(row)
    if sum(len(fake) for _, fake in features.values()) > 1:  # one image has no covariance
        metrics |= {name: _distribution_metric(name, features) for name in SETS}
    return Result(settings, metrics, persons, scorers, stand_in, left_out, software_origin())


def values_by_person(row: Row, name: str) -> dict[str, np.ndarray]:
    """Collect finite scores of one metric by person; persons without any are omitted."""
    parts: dict[str, list[np.ndarray]] = {}
    for trial, scores in zip(row.trials, row.scores, strict=True):
        if name in scores:
            parts.setdefault(trial.person, []).append(scores[name])
    together = {person: np.concatenate(arrays) for person, arrays in parts.items()}
    finite = {person: values[np.isfinite(values)] for person, values in together.items()}
    return {person: values for person, values in finite.items() if len(values)}


def features_by_person(row: Row) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Collect (real, fake) features by person; empty without true frames."""
    pairs = zip(row.trials, row.features, strict=True)
    return _by_person((trial.person, pair) for trial, pair in pairs if pair is not None)


def _distribution_metric(name: str, features: Features) -> dict[str, Any]:
    images = sum(len(fake) for _, fake in features.values())
    dimension = next(iter(features.values()))[0].shape[1]
    result = {**asdict(set_estimate(SETS[name], features)), "n": images}
    if name == "fid" and images <= dimension:
        result["note"] = f"{images} images are no more than the {dimension} features"
    return result


OF_A_ROW = {"method", "T", "checkpoint", "finetune", "start", "perceptual", "seed", "model_code"}
"""Settings that may differ between the rows of one table."""


def group_by(results: Iterable[HasRow], differing: Set[str]) -> list[list[HasRow]]:
    """Group results whose settings are equal except those in `differing`."""
    groups: dict[str, list[HasRow]] = {}
    for one in results:
        shared = {key: value for key, value in one.row.items() if key not in differing}
        groups.setdefault(digest(shared), []).append(one)
    return list(groups.values())


def write_result(folder: Path, result: Result, row: Row) -> Path:
    """Write `<stem>.npz` (scores by frame, features) and then `<stem>.json`; return the latter.

    Files are written atomically. Results of other machines may be copied into the folder.
    """
    arrays = {}
    for k, (scores, pair) in enumerate(zip(row.scores, row.features, strict=True)):
        arrays |= {f"{k}/{name}": values.astype(np.float32) for name, values in scores.items()}
        if pair is not None:
            arrays |= {f"{k}/real": pair[0], f"{k}/fake": pair[1]}
    names = [[trial.name, trial.person] for trial in row.trials]
    write_arrays(folder / f"{result.stem}.npz", {"trials": np.array(names), **arrays})
    file = folder / f"{result.stem}.json"
    return write_json(file, {"format": FORMAT, **asdict(result)})


def write_json(file: Path, content: Any) -> Path:
    """Write `content` atomically; NaN (no interval) becomes null."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(file, text + "\n")
    return file


def read_result(file: Path) -> Result:
    """Read a result file; HeadmimeError if it is none."""
    try:
        content = json.loads(file.read_text("utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        return Result(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HeadmimeError(f"{file} is not a result of `headmime eval`: {error}.") from error


def read_features(file: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read (real, fake) features by person of the result `file` (.json), for paired differences of
    FID.
    """
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as arrays:
        persons = enumerate(person for _, person in arrays["trials"].tolist())
        return _by_person(
            (person, (arrays[f"{k}/real"], arrays[f"{k}/fake"]))
            for k, person in persons
            if f"{k}/real" in arrays
        )


def _by_person(
    pairs: Iterable[tuple[str, tuple[np.ndarray, np.ndarray]]],
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for person, pair in pairs:
        parts.setdefault(person, []).append(pair)
    return {
        person: (np.concatenate([one for one, _ in its]), np.concatenate([two for _, two in its]))
        for person, its in parts.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def advantage(one: Path, other: Path, metric: str) -> Estimate | None:
    """Improvement of result file `one` over `other`, with the sign such that positive is better.

    95 % interval by paired bootstrap over the shared persons. None if there are none.
    """
    sign = METRICS[metric].better
    if sign == 0:
        raise ValueError(f"{metric} has no better and worse")
    if metric in SETS:
        features = read_features(one), read_features(other)
        if not set(features[0]) & set(features[1]):
            return None
        difference = paired_set_difference(SETS[metric], *features)
    else:
        values = [read_result(file).persons.get(metric, {}) for file in (one, other)]
        if not set(values[0]) & set(values[1]):
            return None
        difference = paired_difference(values[0], values[1])
    low, high = sorted((sign * difference.low, sign * difference.high))
    return Estimate(sign * difference.value, low, high, difference.identities)


def verdict(advantage: Estimate) -> str:
    """Return "better" or "worse" if the interval excludes 0, else "undecided"."""
    if advantage.low > 0:
        return "better"
    return "worse" if advantage.high < 0 else "undecided"
