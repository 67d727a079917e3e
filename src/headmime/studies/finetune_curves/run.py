"""Score identity, motion and sharpness during fine-tuning, for several settings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import MISSING, OmegaConf

from headmime.animate.finetune_snapshots import animators_at, check_parts, with_frozen
from headmime.benchmark.command import typed_command
from headmime.benchmark.methods import Methods
from headmime.benchmark.rows import RowRunner
from headmime.benchmark.settings import RowSettings, check, check_only, hold_outputs
from headmime.errors import HeadmimeError
from headmime.evaluation.cache import PROTOCOL, digest
from headmime.evaluation.evaluate import Adapt, Row, evaluate
from headmime.evaluation.method_table import MODES
from headmime.evaluation.plots import require_matplotlib
from headmime.evaluation.results import write_json
from headmime.files import write_text
from headmime.images import Animator
from headmime.learning.finetune import FineTuneSettings
from headmime.progress import progress
from headmime.provenance.origin import software_origin
from headmime.studies.finetune_curves.table import (
    Point,
    as_csv,
    group_by_person,
    join_rows,
    on_distant_frames,
    point,
)


@dataclass
class CurveSetting:
    """A fine-tuning variant: keys of `finetune`, and frozen parts of G."""

    finetune: dict[str, Any] = field(default_factory=dict)
    frozen: list[str] = field(default_factory=list)


@dataclass
class Curves:
    """Keys of `headmime curves`: `settings` (name -> a `CurveSetting`), or those in `only`, with
    all `Ts`, scored after `steps` updates in `modes` (mode -> motion); mode=self on `frames` frames
    of the person.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    only: list[str] = field(default_factory=list)
    Ts: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)
    frames: int = MISSING
    out: str = MISSING


@dataclass
class CurvesSettings(RowSettings):
    """A row's keys, and those of the curves; conf/study/curves.yaml says what they mean."""

    curves: Curves = field(default_factory=Curves)


@dataclass(frozen=True)
class CurveModel:
    """A setting's name, its frozen parts, and the initial models."""

    name: str
    frozen: Sequence[str]
    methods: Methods

    @property
    def finetune(self) -> FineTuneSettings:
        """All keys of the setting."""
        return self.methods.settings.finetune

    def key(self, steps: Sequence[int]) -> str:
        """Hash of everything that the animators depend on, besides a person's frames."""
        return digest(self.methods.key("ft"), sorted(self.frozen), max(steps))

    def adapt_at(self, steps: Sequence[int]) -> Callable[[int], Adapt]:
        """Return a function from a number of updates to an adaptation of one person; the first call
        fine-tunes once and creates the animators of all `steps`.
        """
        animators: dict[int, Animator] = {}

        def at(step: int) -> Adapt:
            def adapt(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
                if not animators:
                    nets = with_frozen(self.methods.model.nets, self.frozen)
                    how = self.finetune, self.methods.perceptual
                    animators.update(animators_at(steps, nets, frames, landmarks, *how))
                return animators[step]

            return adapt

        return at


def run_curves(settings: CurvesSettings) -> list[Path]:
    """Check the settings, fine-tune each person and score snapshots; write CSV, JSON and plots."""
    _check(settings)
    with hold_outputs(settings, "curves"):
        return _run(settings)


def _run(settings: CurvesSettings) -> list[Path]:
    design = settings.curves
    modes = design.modes.items()
    rows = {mode: RowRunner(replace(settings, mode=mode, motion=it)) for mode, it in modes}
    models = [_curve_model(settings, rows, name) for name in design.only or design.settings]
    points: list[Point] = []
    for number, (T, model) in enumerate(product(design.Ts, models), start=1):
        place = f"{number}/{len(design.Ts) * len(models)} {model.name} T={T}"
        points += _points(rows, model, T, design, place)
    out = Path(design.out).expanduser()
    content = {"origin": _origin(rows, models, settings), "points": list(map(asdict, points))}
    record = write_json(out / "curves.json", content)
    write_text(out / "curves.csv", as_csv(points))
    return [out / "curves.csv", record, *_plots(rows, points, settings.dataset, out)]


def _check(settings: CurvesSettings) -> None:
    """Raise HeadmimeError for invalid settings."""
    design = settings.curves
    if not design.settings:
        raise HeadmimeError("curves.settings is empty: -cn finetuning_curves has some.")
    example = "{finetune:{lr_psi:1e-3}}"
    check_only(design.only, design.settings, "curves.settings", example)
    if not design.steps or min(design.steps) < 0 or max(design.steps) == 0:
        raise HeadmimeError(f"curves.steps={design.steps} should be numbers such as [0, 10, 20].")
    for mode, motion in design.modes.items():
        check(replace(settings, mode=mode, motion=motion), ["ft"], design.Ts)
    for name in design.only or design.settings:
        check_parts(_setting(settings, name).frozen)
    require_matplotlib()


def _plots(
    rows: Mapping[str, RowRunner], points: Sequence[Point], dataset: str, out: Path
) -> Iterator[Path]:
    from headmime.evaluation.plots.quality import write_figure
    from headmime.studies.finetune_curves.plot import curves_figure

    for mode, one in rows.items():
        persons = len({trial.person for trial in one.context.trials})
        stand_in = "; scored by stand-ins" if one.context.scorers.stand_in else ""
        title = f"{dataset}: {MODES[mode]}, {persons} persons{stand_in}"
        yield from write_figure(curves_figure(points, mode, title), out / f"curves-{mode}")


def _curve_model(settings: CurvesSettings, rows: Mapping[str, RowRunner], name: str) -> CurveModel:
    chosen = _setting(settings, name)
    schema = OmegaConf.structured(settings.finetune)
    finetune = OmegaConf.to_object(OmegaConf.merge(schema, chosen.finetune))
    store = next(iter(rows.values())).context.store
    return CurveModel(name, chosen.frozen, Methods(replace(settings, finetune=finetune), store))


def _setting(settings: CurvesSettings, name: str) -> CurveSetting:
    schema = OmegaConf.structured(CurveSetting)
    setting = OmegaConf.to_object(OmegaConf.merge(schema, settings.curves.settings[name]))
    assert isinstance(setting, CurveSetting)
    return setting


def _points(
    rows: Mapping[str, RowRunner], model: CurveModel, T: int, design: Curves, place: str
) -> list[Point]:
    """Fine-tune each person once (unless all scores are cached) and score all steps."""
    steps = sorted(design.steps)
    for one in rows.values():
        one.check_scorers("ft")
    groups = group_by_person([trial for one in rows.values() for trial in one.context.trials])
    by_step: dict[tuple[str, int], list[Row]] = {}
    with progress(place) as on_person:
        for done, trials in enumerate(groups.values()):
            on_person(done, len(groups))
            adapt_at = model.adapt_at(steps)
            for mode, one in rows.items():
                for trial in (t for t in one.context.trials if t in trials):
                    if mode == "self":  # frames unlike all sources, the same for every T
                        store, most = one.context.store, max(design.Ts)
                        trial = on_distant_frames(store, trial, most, design.frames)
                    context = replace(one.context, trials=[trial])
                    for step in steps:
                        key = digest(model.key(steps), step)
                        row = evaluate(context, adapt_at(step), T, key)
                        by_step.setdefault((mode, step), []).append(row)
        on_person(len(groups), len(groups))
    return [
        point(model.name, T, mode, step, join_rows(of_step))
        for (mode, step), of_step in by_step.items()
    ]


def _origin(
    rows: Mapping[str, RowRunner], models: Sequence[CurveModel], settings: CurvesSettings
) -> dict[str, Any]:
    first = next(iter(rows.values()))
    context, methods = first.context, first.methods
    return {
        **software_origin(),
        "command": typed_command("curves"),
        "curves": asdict(settings.curves),
        "finetune": {one.name: asdict(one.finetune) for one in models},
        "dataset": settings.dataset,
        "split": settings.split,
        "store": context.store.hash,
        "checkpoint": methods.model.sha256,
        "perceptual": methods.perceptual.origin,
        "size": context.size,
        "scorers": context.scorers.origin,
        "stand_in": context.scorers.stand_in,
        "code": {"scores": PROTOCOL, **methods.origin_of("ft")},
        "trials": {mode: [t.name for t in one.context.trials] for mode, one in rows.items()},
    }
