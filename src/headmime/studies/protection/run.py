"""Animate clean, noised and protected images of the same people, and score the outputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import MISSING

from headmime.benchmark.command import typed_command
from headmime.benchmark.rows import RowRunner, study_origin
from headmime.benchmark.settings import RowSettings, check, hold_outputs
from headmime.errors import check_choice
from headmime.evaluation.cache import digest, load_or_compute
from headmime.evaluation.evaluate import Adapt, evaluate
from headmime.evaluation.method_table import METHODS
from headmime.evaluation.results import (
    read_result,
    result_stem,
    summarise,
    write_json,
    write_result,
)
from headmime.files import write_text
from headmime.images import Animator
from headmime.progress import progress
from headmime.protection.noise import PROTOCOL, NoiseSettings, ascend
from headmime.studies.protection.platforms import PLATFORMS
from headmime.studies.protection.table import TREATMENTS, Cell, tables


@dataclass
class Protection:
    """Keys of `headmime protection`: noise of `strength` in `steps` steps against `weights`. What
    `methods` make of it is scored after each of `platforms`, with the weights `unseen` too.
    """

    strength: int = MISSING
    steps: int = MISSING
    methods: list[str] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    out: str = MISSING


@dataclass
class ProtectionSettings(RowSettings):
    """A row's keys, and those of the noise; conf/study/protection.yaml says what they mean."""

    protection: Protection = field(default_factory=Protection)


def run_protection(settings: ProtectionSettings) -> Iterator[str]:
    """Check, score what has not been scored: the tables, and the files of them and all numbers."""
    design = settings.protection
    check(settings, design.methods, [settings.T])
    for platform in design.platforms:
        check_choice("protection.platforms", platform, tuple(PLATFORMS))
    with hold_outputs(settings, "protection"):
        yield from _write(settings, list(_cells(settings)))


def _write(settings: ProtectionSettings, cells: Sequence[Cell]) -> Iterator[str]:
    out = Path(settings.protection.out).expanduser()
    first = read_result(cells[0].files["clean"])
    rows = [
        {**row, "file": file.name, "metrics": read_result(file).metrics}
        for cell in cells
        for row, file in cell.rows()
    ]
    content = {"origin": study_origin("protection", settings, first), "rows": rows}
    record = write_json(out / "protection.json", content)
    page = "\n".join(tables(cells)) + "\n"
    write_text(out / "protection.md", page)
    yield from (page, str(out / "protection.md"), str(record))


def _cells(settings: ProtectionSettings) -> Iterator[Cell]:
    design = settings.protection
    sources = Sources(RowRunner(settings), design)
    runners = {"seen": sources.attacked}
    for weights in design.unseen:
        keys = {"weights": weights, "size": sources.attacked.context.size}
        runners[weights] = RowRunner(replace(settings, **keys), keys)
    todo = [
        (weights, method, platform)
        for weights, method, platform in product(runners, design.methods, design.platforms)
        if METHODS[method].learned or weights == "seen"  # baselines have no weights
    ]
    for number, (weights, method, platform) in enumerate(todo, start=1):
        files = {}
        for treatment in TREATMENTS:
            place = f"{number}/{len(todo)} {treatment} {platform}, {weights} weights: "
            files[treatment] = sources.score(runners[weights], method, treatment, platform, place)
        yield Cell(weights, method, settings.T, platform, files)


@dataclass(frozen=True)
class Sources:
    """Source frames as their owner published them, with noise against the model of `attacked`."""

    attacked: RowRunner
    design: Protection

    def score(
        self, runner: RowRunner, method: str, treatment: str, platform: str, place: str
    ) -> Path:
        """Score `method` on treated source frames, unless the result file exists; return it."""
        T = runner.settings.T
        how = {"platform": platform, "treatment": treatment, **self._noise(treatment)}
        description = {**runner.description(method, T), "protection": how}
        folder = Path(self.design.out).expanduser() / "rows"  # not among those that are reported
        file = folder / f"{result_stem(description)}.json"
        if file.is_file():
            return file
        runner.check_scorers(method)
        adapt = runner.methods.adapt_to_anyone(method)
        with progress(f"{place}{method} T={T}") as on_trial:
            key = digest(runner.methods.key(method), how)
            treated = self._treated(adapt, treatment, platform)
            row = evaluate(runner.context, treated, T, key, on_trial)
        scorers = runner.context.scorers
        result = summarise(description, row, scorers.origin, scorers.stand_in, runner.left_out)
        result.origin.update(command=typed_command("protection"))
        return write_result(folder, result, row)

    def _noise(self, treatment: str) -> dict[str, Any]:
        """What the noise depends on, besides the frames."""
        if treatment == "clean":
            return {}
        how = {"strength": self.design.strength}
        if treatment == "protected":
            methods = self.attacked.methods
            how |= {"steps": self.design.steps, "seed": self.attacked.settings.seed}
            how |= {"against": methods.model.sha256, "features": methods.perceptual.origin}
            how |= {"code": PROTOCOL}
        return how

    def _treated(self, adapt: Adapt, treatment: str, platform: str) -> Adapt:
        def from_treated(frames: np.ndarray, landmarks: np.ndarray) -> Animator:
            published = [
                PLATFORMS[platform](self._publish(x, y, treatment))
                for x, y in zip(frames, landmarks, strict=True)
            ]
            return adapt(np.stack(published), landmarks)

        return from_treated

    def _publish(self, x: np.ndarray, landmarks: np.ndarray, treatment: str) -> np.ndarray:
        """The frame x, uint8 [S, S, 3], as its owner publishes it."""
        if treatment == "clean":
            return x
        strength = self.design.strength
        if treatment == "noise":  # every value moved as far as the strength allows
            rng = np.random.default_rng(int(digest(x)[:8], 16))
            noise = rng.choice((-strength, strength), x.shape)
        else:
            folder = Path(self.attacked.settings.memory).expanduser() / "noise"
            key = digest(self._noise(treatment), x, landmarks)
            noise = load_or_compute(folder, key, lambda: self._ascend(x, landmarks))["noise"]
        return (x + noise).round().clip(0, 255).astype(np.uint8)

    def _ascend(self, x: np.ndarray, landmarks: np.ndarray) -> dict[str, np.ndarray]:
        design, methods, seed = self.design, self.attacked.methods, self.attacked.settings.seed
        settings = NoiseSettings(design.strength, design.steps, seed)
        return {"noise": ascend(x, landmarks, methods.model, methods.perceptual, settings)}
