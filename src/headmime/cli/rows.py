"""From the keys of `eval` and `table` to rows: data, scoring networks, animators, results."""

import logging
import os
import shlex
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import hydra.utils
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

import headmime.animate.motion
import headmime.animate.poses
import headmime.evaluation.evaluate
import headmime.evaluation.looks
import headmime.evaluation.metrics
import headmime.evaluation.scores
import headmime.evaluation.trials
import headmime.landmarks
import headmime.pretrained
from headmime.animate.model import torch_device
from headmime.cli.animators import Animators
from headmime.cli.progress import progress
from headmime.cli.row_settings import MODELS, Evaluate
from headmime.data.protocol import Protocol, cross_cases, draw_cases, single_pictures
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.apart import check_apart
from headmime.evaluation.evaluate import Contest, evaluate
from headmime.evaluation.looks import Scorers
from headmime.evaluation.memory import code_digest, digest
from headmime.evaluation.results import result_stem, summarise, write_result
from headmime.evaluation.trials import (
    WITHOUT_TRUTH,
    Trial,
    cross_trials,
    portrait_trials,
    self_trials,
    truth_trials,
)
from headmime.landmarks.detect import detector as detector_named
from headmime.pretrained.scorers import OfTorch

log = logging.getLogger(__name__)

OTHER_VERBS = ("table.", "claims.", "curves.", "recipe.")  # whose keys no single row has
SCORING_CODE = (
    headmime.animate.motion,
    headmime.animate.poses,
    headmime.evaluation.baselines,
    headmime.evaluation.evaluate,
    headmime.evaluation.looks,
    headmime.evaluation.metrics,
    headmime.evaluation.scores,
    headmime.evaluation.trials,
    headmime.landmarks,
    headmime.pretrained,
)


class Rows:
    """Everything that rows of one store and one set of trials share, made once."""

    def __init__(
        self, settings: Evaluate, beside: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """`beside`: keys in the settings that nobody typed; the command of a row has them too."""
        self.settings, self.beside = settings, beside
        store = Store(Path(settings.store).expanduser())
        self.animators = Animators(settings, store)
        trials, self.left_out = trials_of(settings, store)
        self.contest = Contest(
            store=store,
            trials=trials,
            size=self.animators.size,
            motion=settings.motion,
            scorers=_scorers(settings, store),
            memory=Path(settings.memory).expanduser(),
            code=code_digest(SCORING_CODE),
        )

    def description(self, method: str, T: int) -> dict[str, Any]:
        """All settings that the row's numbers depend on, and nothing else."""
        s, contest = self.settings, self.contest
        return {
            "dataset": s.dataset,
            "store": contest.store.hash,
            "split": s.split,
            "mode": s.mode,
            "motion": s.motion,
            "videos": s.videos,
            "held_out": s.held_out,
            "sources": s.sources,
            "cases_seed": s.cases_seed,
            "drivers": s.drivers if s.mode in WITHOUT_TRUTH else None,
            "trials": len(contest.trials),
            "persons": len({trial.person for trial in contest.trials}),
            "size": contest.size,
            "scorers": contest.scorers.origin,
            "code": contest.code,
            "method": method,
            "T": T,
            **self.animators.made_of(method),
        }

    def run(self, method: str, T: int, place: str = "") -> Path:
        """The row's result file: evaluated now, unless it is there already.

        `place` says before the progress bar which row of how many this is.
        """
        description = self.description(method, T)
        folder = Path(self.settings.results).expanduser()
        file = folder / f"{result_stem(description)}.json"
        if file.is_file():
            log.info("%s is there already.", file.name)
            return file
        self.check_apart(method)
        key = self.animators.key(method)
        with progress(f"{place}{self.settings.mode} {method} T={T}") as on_trial:
            row = evaluate(self.contest, self.animators.adapt(method), T, key, on_trial)
        scorers = self.contest.scorers
        result = summarise(description, row, scorers.origin, scorers.stand_in, self.left_out)
        result.origin.update(command=_command({**self.beside, "method": method, "T": T}))
        return write_result(folder, result, row)

    def check_apart(self, method: str) -> None:
        """HeadmimeError if a scoring network had a part in a loss that made the method."""
        losses: dict[str, Any] = {}
        if method in MODELS:
            origin = self.animators.model_of(method).record.get("origin", {})
            losses["the weights' training"] = origin.get("perceptual", {})
        if method == "ft":
            losses["fine-tuning"] = self.animators.perceptual.origin
        check_apart(self.contest.scorers.origin, losses)


def _command(keys: Mapping[str, Any]) -> str:
    """What to type to have the row of these keys again, wherever its files are kept."""
    job = HydraConfig.get()
    words = ["headmime", "eval", "-cn", job.job.config_name]
    for override in OverridesParser.create().parse_overrides(list(job.overrides.task)):
        key = override.key_or_group
        if key not in ("results", "memory", *keys) and not key.startswith(OTHER_VERBS):
            words.append(as_typed(override))
    return shlex.join([*words, *(f"{key}={value}" for key, value in keys.items())])


def typed_command(verb: str) -> str:
    """What was typed: `headmime <verb> -cn ...` with its keys."""
    job = HydraConfig.get()
    typed = OverridesParser.create().parse_overrides(list(job.overrides.task))
    words = ["headmime", verb, "-cn", job.job.config_name]
    return shlex.join([*words, *(as_typed(one) for one in typed)])


def as_typed(override: Override) -> str:
    """Paths reach Hydra in quotes that nobody typed (see cli/arguments.py)."""
    value = override.value()
    return f"{override.key_or_group}={value}" if isinstance(value, str) else override.input_line


def protocol_of(settings: Evaluate, store: Store) -> Protocol:
    """The people, sources and held-out frames that the settings draw."""
    return draw_cases(
        store,
        split=settings.split,
        videos=settings.videos,
        held_out=settings.held_out,
        sources=settings.sources,
        seed=settings.cases_seed,
    )


def trials_of(settings: Evaluate, store: Store) -> tuple[list[Trial], int]:
    """The trials, and how many videos of the split could not be used."""
    s = settings
    if s.mode == "truth":
        cases = cross_cases(store, seed=s.cases_seed)
        return truth_trials(store, cases, s.sources, s.held_out), 0
    drawn = protocol_of(s, store)
    _keep_protocol(Path(s.results).expanduser(), drawn.to_json(store))
    pictures = single_pictures(store, s.split)
    if s.mode == "portrait":
        if not pictures:
            raise HeadmimeError(
                f"mode=portrait needs single pictures, and {store.folder} has none in its split "
                f"{s.split!r}: `headmime preprocess data=listed` stores those of portraits.tsv."
            )
        return portrait_trials(store, pictures, drawn.cases, s.drivers), 0
    films = len(store.videos_in(s.split)) - len(pictures)
    too_short = films - len(drawn.cases) if len(drawn.cases) < s.videos else 0
    if s.mode == "self":
        return self_trials(store, drawn.cases), too_short
    return cross_trials(store, drawn.cases, s.drivers), too_short


def _keep_protocol(folder: Path, text: str) -> None:
    """The frames that were drawn, and why other videos were not, beside the results."""
    folder = folder / "protocols"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{uuid.uuid4().hex}"
    partial.write_text(text)
    os.replace(partial, folder / f"{digest(text)[:12]}.json")


def _scorers(settings: Evaluate, store: Store) -> Scorers:
    made = {use: hydra.utils.instantiate(one) for use, one in settings.scorers.items()}
    for scorer in made.values():
        if isinstance(scorer, OfTorch):
            scorer.to(torch_device(settings.device))
    chosen = hydra.utils.instantiate(settings.detector)
    return Scorers(**made, detector=chosen or detector_named(store.detector))
