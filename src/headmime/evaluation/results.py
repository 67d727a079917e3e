"""A row's numbers as one JSON file, with everything that made them."""

import json
import math
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headmime.errors import HeadmimeError
from headmime.evaluation.evaluate import Row
from headmime.evaluation.intervals import Features, mean_estimate, set_estimate
from headmime.evaluation.memory import digest, write_arrays
from headmime.evaluation.metrics.fid import fid
from headmime.evaluation.metrics.kid import kid
from headmime.evaluation.names import METRICS
from headmime.provenance.origin import software_origin

FORMAT = 1
SETS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {"fid": fid, "kid": kid}


@dataclass(frozen=True)
class Result:
    """What a result file holds.

    row: all settings that its numbers depend on (its hash names the file). metrics: by name, value,
    low, high (95 %), n (frames, or trials), identities, perhaps a note. persons: by metric, every
    person's mean. scorers, origin: where it comes from. left_out: videos that were too short.
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
        """The name of its file, without suffix."""
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
    """Means over persons of means over their frames; FID and KID over all frames together."""
    metrics, persons = {}, {}
    for name in METRICS:
        values = values_by_person(row, name)
        if values:
            persons[name] = {person: float(v.mean()) for person, v in values.items()}
            n = sum(len(v) for v in values.values())
            metrics[name] = {**asdict(mean_estimate(persons[name])), "n": n}
    features = features_by_person(row)
    if features:
        metrics |= {name: _of_sets(name, features) for name in SETS}
    return Result(settings, metrics, persons, scorers, stand_in, left_out, software_origin())


def values_by_person(row: Row, name: str) -> dict[str, np.ndarray]:
    """All finite scores of one name, by person; persons without any are left out."""
    parts: dict[str, list[np.ndarray]] = {}
    for trial, scores in zip(row.trials, row.scores, strict=True):
        if name in scores:
            parts.setdefault(trial.person, []).append(scores[name])
    together = {person: np.concatenate(arrays) for person, arrays in parts.items()}
    finite = {person: values[np.isfinite(values)] for person, values in together.items()}
    return {person: values for person, values in finite.items() if len(values)}


def features_by_person(row: Row) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(real, fake) features, by person; empty without true frames."""
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for trial, pair in zip(row.trials, row.features, strict=True):
        if pair is not None:
            parts.setdefault(trial.person, []).append(pair)
    return {
        person: tuple(np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
        for person, pairs in parts.items()
    }


def _of_sets(name: str, features: Features) -> dict[str, Any]:
    images = sum(len(fake) for _, fake in features.values())
    dimension = next(iter(features.values()))[0].shape[1]
    result = {**asdict(set_estimate(SETS[name], features)), "n": images}
    if name == "fid" and images <= dimension:
        result["note"] = f"{images} images are no more than the {dimension} features"
    return result


def write_result(folder: Path, result: Result, row: Row) -> Path:
    """Write `<stem>.npz` (scores by frame, features) and then `<stem>.json`; return the latter.

    A file that is there is complete. Results of other machines may be copied into the folder.
    """
    arrays = {}
    for k, (scores, pair) in enumerate(zip(row.scores, row.features, strict=True)):
        arrays |= {f"{k}/{name}": values.astype(np.float32) for name, values in scores.items()}
        if pair is not None:
            arrays |= {f"{k}/real": pair[0], f"{k}/fake": pair[1]}
    names = [[trial.name, trial.person] for trial in row.trials]
    write_arrays(folder / f"{result.stem}.npz", {"trials": np.array(names), **arrays})
    file = folder / f"{result.stem}.json"
    partial = file.with_name(f".{uuid.uuid4().hex}.json")
    content = {"format": FORMAT, **_plain(asdict(result))}
    try:
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    return file


def read_result(file: Path) -> Result:
    """HeadmimeError if the file is not a result."""
    try:
        content = json.loads(file.read_text())
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        return Result(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HeadmimeError(f"{file} is not a result of `headmime eval`: {error}.") from error


def read_features(file: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(real, fake) features by person of the result at `file` (.json): for paired differences of
    FID.
    """
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as kept:
        for k, (_, person) in enumerate(kept["trials"].tolist()):
            if f"{k}/real" in kept:
                parts.setdefault(person, []).append((kept[f"{k}/real"], kept[f"{k}/fake"]))
    return {
        person: tuple(np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
        for person, pairs in parts.items()
    }


def _plain(value: Any) -> Any:
    """NaN (no interval) as null: JSON has no other word for it."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
