"""From the keys of `eval` and `table` to rows: data, scoring networks, animators, results."""

import logging
import os
import shlex
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra.utils
import numpy as np
from hydra.core.hydra_config import HydraConfig

import headmime.animate.person
import headmime.animate.rehearsal
import headmime.evaluation.evaluate
import headmime.evaluation.looks
import headmime.evaluation.metrics
import headmime.evaluation.scores
import headmime.evaluation.trials
import headmime.landmarks
import headmime.learning.finetune
import headmime.learning.rehearsal
import headmime.losses
import headmime.nets
import headmime.pixels
import headmime.pretrained
from headmime.animate.api import load
from headmime.animate.kept import kept_generator
from headmime.animate.person import Animator, animator, personal_generator
from headmime.animate.rehearsal import FILE as REHEARSAL
from headmime.cli.progress import progress
from headmime.cli.row_settings import BASELINES, MODELS, Evaluate
from headmime.data.protocol import cross_cases, draw_cases
from headmime.data.store import Store
from headmime.evaluation.apart import check_apart
from headmime.evaluation.evaluate import Adapt, Contest, evaluate
from headmime.evaluation.looks import Scorers
from headmime.evaluation.memory import code_digest, digest
from headmime.evaluation.results import result_stem, summarise, write_result
from headmime.evaluation.trials import Trial, cross_trials, self_trials, truth_trials
from headmime.landmarks.detect import detector as detector_named
from headmime.learning.finetune import FineTuneSettings
from headmime.nets.personal import PersonalGenerator
from headmime.pretrained.weights import sha256
from headmime.provenance.origin import software_origin

log = logging.getLogger(__name__)

SCORING_CODE = (
    headmime.evaluation.baselines,
    headmime.evaluation.evaluate,
    headmime.evaluation.looks,
    headmime.evaluation.metrics,
    headmime.evaluation.scores,
    headmime.evaluation.trials,
    headmime.landmarks,
    headmime.pretrained,
)
MODEL_CODE = (
    headmime.nets,
    headmime.losses,
    headmime.pixels,
    headmime.learning.finetune,
    headmime.learning.rehearsal,
    headmime.animate.person,
    headmime.animate.rehearsal,
)


class Rows:
    """Everything that rows of one store and one set of trials share, made once."""

    def __init__(self, settings: Evaluate) -> None:
        self.settings = settings
        store = Store(Path(settings.store).expanduser())
        self.model = load(settings.weights, settings.device)
        trials, self.left_out = _trials(settings, store)
        self.contest = Contest(
            store=store,
            trials=trials,
            size=settings.size or self.model.shape.image_size,
            motion=settings.motion,
            scorers=_scorers(settings, store),
            memory=Path(settings.memory).expanduser(),
            code=code_digest(SCORING_CODE),
        )
        self._model_code = code_digest(MODEL_CODE)
        self._perceptual: Any = None
        losses = {"these weights": self.model.record.get("origin", {}).get("perceptual", {})}
        if settings.method == "ft":
            losses["fine-tuning"] = self.perceptual.origin
        check_apart(self.contest.scorers.origin, losses)

    @property
    def perceptual(self) -> Any:
        """The frozen networks of L_CNT, loaded at first use."""
        if self._perceptual is None:
            self._perceptual = hydra.utils.instantiate(self.settings.perceptual)
        return self._perceptual

    def description(self, method: str, T: int) -> dict[str, Any]:
        """All settings that the row's numbers depend on, and nothing else."""
        s, contest = self.settings, self.contest
        learns = method in MODELS
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
            "drivers": s.drivers if s.mode == "cross" else None,
            "trials": len(contest.trials),
            "persons": len({trial.person for trial in contest.trials}),
            "size": contest.size,
            "scorers": contest.scorers.origin,
            "code": contest.code,
            "method": method,
            "T": T,
            "checkpoint": self.model.sha256 if learns else None,
            "model_code": self._model_code if learns else None,
            **(self._fine_tuning() if method == "ft" else {"finetune": None, "perceptual": None}),
            "seed": s.seed if method == "ft" else 0,
        }

    def run(self, method: str, T: int) -> Path:
        """The row's result file: evaluated now, unless it is there already."""
        description = self.description(method, T)
        folder = Path(self.settings.results).expanduser()
        file = folder / f"{result_stem(description)}.json"
        if file.is_file():
            log.info("%s is there already.", file.name)
            return file
        made_of = ("method", "checkpoint", "model_code", "finetune", "perceptual", "seed")
        key = digest([description[name] for name in made_of])
        with progress(f"{self.settings.mode} {method} T={T}") as on_trial:
            row = evaluate(self.contest, self._adapt(method, key), T, key, on_trial)
        scorers = self.contest.scorers
        result = summarise(description, row, scorers.origin, scorers.stand_in, self.left_out)
        result.origin.update(command=_command(method, T))
        return write_result(folder, result, row)

    def _fine_tuning(self) -> dict[str, Any]:
        rehearsal = sha256(REHEARSAL) if self.settings.finetune.rehearsal else None
        settings = {**asdict(self.settings.finetune), "rehearsal_frames": rehearsal}
        return {"finetune": settings, "perceptual": self.perceptual.origin}

    def _adapt(self, method: str, key: str) -> Adapt | None:
        if method in BASELINES:
            return BASELINES[method]
        if method == "ff":
            return lambda frames, points: self._animator(self._generator(frames, points, None))
        return lambda frames, points: self._fine_tuned(frames, points, key)

    def _fine_tuned(self, frames: np.ndarray, landmarks: np.ndarray, key: str) -> Animator:
        s = self.settings
        record = {"detector": self.contest.store.detector, "origin": software_origin()}
        generator = kept_generator(
            self.contest.memory / "people",
            digest(key, frames, landmarks),
            lambda: self._generator(frames, landmarks, s.finetune),
            self.model.shape,
            record,
        )
        device = next(self.model.nets.generator.parameters()).device
        return self._animator(generator.to(device))

    def _generator(
        self, frames: np.ndarray, landmarks: np.ndarray, settings: FineTuneSettings | None
    ) -> PersonalGenerator:
        perceptual = self.perceptual if settings else None
        return personal_generator(self.model.nets, frames, landmarks, settings, perceptual)

    def _animator(self, generator: PersonalGenerator) -> Animator:
        return animator(generator, self.contest.size)


def _command(method: str, T: int) -> str:
    """What to type to have this row again."""
    job = HydraConfig.get()
    other = [
        word
        for word in job.overrides.task
        if not word.startswith(("method=", "T=", "table.", "hydra."))
    ]
    words = ["headmime", "eval", "-cn", job.job.config_name, *other, f"method={method}", f"T={T}"]
    return shlex.join(words)


def _trials(settings: Evaluate, store: Store) -> tuple[list[Trial], int]:
    """The trials, and how many videos of the split could not be used."""
    s = settings
    if s.mode == "truth":
        cases = cross_cases(store, seed=s.cases_seed)
        return truth_trials(store, cases, s.sources, s.held_out), 0
    drawn = draw_cases(
        store,
        split=s.split,
        videos=s.videos,
        held_out=s.held_out,
        sources=s.sources,
        seed=s.cases_seed,
    )
    _keep_protocol(Path(s.results).expanduser(), drawn.to_json(store))
    too_short = (
        len(store.videos_in(s.split)) - len(drawn.cases) if len(drawn.cases) < s.videos else 0
    )
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
    chosen = hydra.utils.instantiate(settings.detector)
    return Scorers(**made, detector=chosen or detector_named(store.detector))
