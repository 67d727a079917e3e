"""`headmime curves`: identity, motion and sharpness over the length of a fine-tuning."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import DictConfig, OmegaConf

import headmime.animate.finetune_snapshots
from headmime.animate.finetune_snapshots import animators_at, check_parts, with_frozen
from headmime.animate.person import Animator
from headmime.cli.animators import Animators
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.row_settings import CurveSetting, Evaluate, check, check_only
from headmime.cli.rows import Rows, typed_command
from headmime.cli.written import write_text
from headmime.errors import HeadmimeError
from headmime.evaluation.cells import MODES
from headmime.evaluation.curves import (
    Point,
    as_csv,
    as_entries,
    by_person,
    joined,
    on_unlike_frames,
    point,
)
from headmime.evaluation.evaluate import Adapt, Row, evaluate
from headmime.evaluation.memory import code_digest, digest
from headmime.evaluation.trials import Trial
from headmime.learning.finetune import FineTuneSettings
from headmime.progress import progress
from headmime.provenance.origin import software_origin

CODE = (headmime.animate.finetune_snapshots,)


@dataclass(frozen=True)
class Tuning:
    """A setting by its name, what it makes of the fine-tuning, and the models it starts from."""

    name: str
    chosen: CurveSetting
    animators: Animators

    @property
    def finetune(self) -> FineTuneSettings:
        """All of its keys."""
        return self.animators.settings.finetune

    def key(self, steps: Sequence[int]) -> str:
        """A hash of all that the animators depend on beside a person's frames."""
        frozen = sorted(self.chosen.frozen)
        return digest(self.animators.key("ft"), frozen, max(steps), code_digest(CODE))

    def animators_at(
        self, steps: Sequence[int], frames: np.ndarray, landmarks: np.ndarray
    ) -> dict[int, Animator]:
        """One fine-tuning on these frames, after each of `steps` updates."""
        nets = with_frozen(self.animators.model.nets, self.chosen.frozen)
        perceptual = self.animators.perceptual
        return animators_at(steps, nets, frames, landmarks, self.finetune, perceptual)


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check, fine-tune person after person, score on the way; a CSV, a JSON and plots."""
    settings: Evaluate = OmegaConf.to_object(config)
    design = settings.curves
    _check(settings)
    names = design.only or list(design.settings)
    for name in names:
        check_parts(_setting(config, name).frozen)
    plots = _plots()
    rows = {
        mode: Rows(OmegaConf.to_object(OmegaConf.merge(config, {"mode": mode, "motion": motion})))
        for mode, motion in design.modes.items()
    }
    tunings = [_tuning(config, rows, name) for name in names]
    found: list[Point] = []
    for number, (T, tuning) in enumerate(product(design.Ts, tunings), start=1):
        place = f"{number}/{len(design.Ts) * len(tunings)} {tuning.name} T={T}"
        found += _points(rows, tuning, T, settings, place)
    out = Path(design.out).expanduser()
    out.mkdir(parents=True, exist_ok=True)
    content = {"origin": _origin(rows, tunings, settings), "points": list(as_entries(found))}
    write_text(out / "curves.csv", as_csv(found))
    write_text(out / "curves.json", json.dumps(content, indent=1, allow_nan=False) + "\n")
    files = [out / "curves.csv", out / "curves.json"]
    for mode, one in rows.items():
        persons = len({trial.person for trial in one.contest.trials})
        stand_in = "; scored by stand-ins" if one.contest.scorers.stand_in else ""
        title = f"{settings.dataset}: {MODES[mode]}, {persons} persons{stand_in}"
        files += plots(found, mode, title, out / f"curves-{mode}")
    print("\n".join(str(file) for file in files))


def _check(settings: Evaluate) -> None:
    """What can be known to be wrong before any work."""
    design = settings.curves
    if not design.settings:
        raise HeadmimeError("curves.settings is empty: -cn finetuning_curves has some.")
    example = "{finetune:{lr_psi:1e-3}}"
    check_only(design.only, design.settings, "curves.settings", example)
    if not design.steps or min(design.steps) < 0 or max(design.steps) == 0:
        raise HeadmimeError(f"curves.steps={design.steps} should be numbers such as [0, 10, 20].")
    for mode, motion in design.modes.items():
        check(replace(settings, mode=mode, motion=motion), ["ft"], design.Ts)


def _plots() -> Callable[[Sequence[Point], str, str, Path], list[Path]]:
    """What draws; asked for first, so that its package is not missed after hours."""
    try:
        from headmime.evaluation.figures.curves import curves_figure
        from headmime.evaluation.figures.quality import write_figure
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"The plot needs the package {missing.name}: pip install 'headmime[evaluation]'."
        ) from missing
    return lambda points, mode, title, stem: write_figure(curves_figure(points, mode, title), stem)


def _tuning(config: DictConfig, rows: dict[str, Rows], name: str) -> Tuning:
    chosen = _setting(config, name)
    settings = OmegaConf.to_object(OmegaConf.merge(config, {"finetune": chosen.finetune}))
    first = next(iter(rows.values()))
    return Tuning(name, chosen, Animators(settings, first.contest.store))


def _setting(config: DictConfig, name: str) -> CurveSetting:
    schema = OmegaConf.structured(CurveSetting)
    return OmegaConf.to_object(OmegaConf.merge(schema, config.curves.settings[name]))


def _points(
    rows: dict[str, Rows], tuning: Tuning, T: int, settings: Evaluate, place: str
) -> list[Point]:
    """Person after person: each is fine-tuned once, unless all its scores are known already."""
    steps = sorted(settings.curves.steps)
    for one in rows.values():
        one.check_apart("ft")
    groups = by_person([trial for one in rows.values() for trial in one.contest.trials])
    found: dict[tuple[str, int], list[Row]] = {}
    with progress(place) as on_person:
        for done, trials in enumerate(groups.values()):
            on_person(done, len(groups))
            moments = _moments(tuning, steps)
            for mode, one in rows.items():
                for trial in (t for t in one.contest.trials if t in trials):
                    shown = _shown(one, trial, mode, settings)
                    contest = replace(one.contest, trials=[shown])
                    for step in steps:
                        key = digest(tuning.key(steps), step)
                        row = evaluate(contest, moments(step), T, key)
                        found.setdefault((mode, step), []).append(row)
        on_person(len(groups), len(groups))
    return [
        point(tuning.name, T, mode, step, joined(of_step))
        for (mode, step), of_step in found.items()
    ]


def _moments(tuning: Tuning, steps: Sequence[int]) -> Callable[[int], Adapt]:
    """From a number of updates to what adapts one person; the first call makes all animators."""
    made: dict[int, Animator] = {}

    def at(step: int) -> Adapt:
        def adapt(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
            if not made:
                made.update(tuning.animators_at(steps, frames, landmarks))
            return made[step]

        return adapt

    return at


def _shown(rows: Rows, trial: Trial, mode: str, settings: Evaluate) -> Trial:
    """Self-reenactment is scored on frames that are unlike all sources; the same for every T."""
    if mode != "self":
        return trial
    design = settings.curves
    return on_unlike_frames(rows.contest.store, trial, max(design.Ts), design.frames)


def _origin(rows: dict[str, Rows], tunings: Sequence[Tuning], settings: Evaluate) -> dict[str, Any]:
    first = next(iter(rows.values()))
    scorers = first.contest.scorers
    return {
        **software_origin(),
        "command": typed_command("curves"),
        "curves": asdict(settings.curves),
        "finetune": {one.name: asdict(one.finetune) for one in tunings},
        "dataset": settings.dataset,
        "split": settings.split,
        "store": first.contest.store.hash,
        "checkpoint": first.animators.model.sha256,
        "perceptual": first.animators.perceptual.origin,
        "size": first.contest.size,
        "scorers": scorers.origin,
        "stand_in": scorers.stand_in,
        "code": {"scores": first.contest.code, **first.animators.made_of("ft")},
        "trials": {mode: [t.name for t in one.contest.trials] for mode, one in rows.items()},
    }
