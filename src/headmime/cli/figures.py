"""`headmime figures`: pictures and plots of a table's rows, for people to look at."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from headmime.animate.media_writer import write_media
from headmime.cli.animators import Animators
from headmime.cli.config import conf_folder, plain_errors
from headmime.cli.row_settings import Evaluate, check
from headmime.cli.rows import trials_of
from headmime.data.store import Store
from headmime.errors import HeadmimeError
from headmime.evaluation.figures.grid import drawn_trials, grid
from headmime.evaluation.figures.reasons import as_csv, circumstances
from headmime.evaluation.figures.scene import Stage
from headmime.evaluation.figures.videos import side_by_side, take
from headmime.evaluation.figures.worst import worst, worst_scores
from headmime.evaluation.results import Result, read_result
from headmime.progress import progress
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import Ingredient, Kind, ProvenanceStatement, required_consent

STILL = Fraction(1)
SAME = ("dataset", "split", "mode", "motion", "videos", "held_out", "sources", "cases_seed")


@hydra.main(config_path=str(conf_folder()), config_name="evaluate", version_base="1.3")
@plain_errors
def main(config: DictConfig) -> None:
    """Check what can be checked, then plots, the grid, the worst frames, videos."""
    settings: Evaluate = OmegaConf.to_object(config)
    figures = settings.figures
    check(settings, [settings.method, *figures.methods], [settings.T, *figures.Ts])
    required_consent(figures.consent)
    prepare_marking(settings.provenance)
    if "real" in figures.methods or settings.method == "real":
        raise HeadmimeError("method=real is the column Target: leave it out of figures.methods.")
    out = Path(figures.out).expanduser()
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(settings.results).expanduser()
    found = [(file, read_result(file)) for file in sorted(folder.glob("*.json"))]
    for file in draw_plots([result for _, result in found], out):
        print(file)
    for file in _Pictures(settings, out).all(found):
        print(file)


def draw_plots(results: Sequence[Result], out: Path) -> Iterator[Path]:
    """Quality against T, of every table of which there are results for several T."""
    try:
        from headmime.evaluation.figures.quality import quality, tables, write_figure
    except ModuleNotFoundError as missing:
        raise HeadmimeError(
            f"Plots need the package {missing.name}: pip install 'headmime[evaluation]'."
        ) from missing
    for table in tables(results):
        row = table[0].row
        if len({one.row["T"] for one in table}) > 1:
            name = f"quality-{row['dataset']}-{row['mode']}-{row['store'][:6]}-{row['code'][:6]}"
            yield from write_figure(quality(table), out / name)


class _Pictures:
    """The figures that show people; every one is written as other outputs for people are."""

    def __init__(self, settings: Evaluate, out: Path) -> None:
        self.settings, self.out = settings, out
        self.store = Store(Path(settings.store).expanduser())
        self.animators = Animators(settings, self.store)
        self.trials, _ = trials_of(settings, self.store)
        self.making = ProvenanceStatement(
            consent=required_consent(settings.figures.consent),
            model_sha256=self._model(),
            ingredients=(Ingredient("source", "store", self.store.hash),),
            settings={"methods": " ".join(settings.figures.methods)},
            kind=Kind.COMPOSITE,
        )

    def all(self, found: Sequence[tuple[Path, Result]]) -> Iterator[Path]:
        yield self.grid()
        row = next((file for file, result in reversed(found) if self._is_row(result)), None)
        if row is None:
            method, T = self.settings.method, self.settings.T
            print(
                f"The worst frames are left out: `headmime eval` has not run method={method} T={T}."
            )
        else:
            yield from self.worst(row)
        yield from self.videos()

    def grid(self) -> Path:
        figures = self.settings.figures
        chosen = drawn_trials(self.trials, figures.people, figures.seed)
        with progress("Grid") as on_line:
            stage = self._stage(figures.methods)
            page = grid(stage, chosen, figures.Ts, figures.tile, figures.seed, on_line)
        return write_media(
            self.out / "grid.png", [page], STILL, self.making, self.settings.provenance
        )

    def worst(self, file: Path) -> Iterator[Path]:
        """Of the row method=, T=, from its result file: pictures, and what sets them apart."""
        s, metric = self.settings, self.settings.figures.worst
        scores, of = worst_scores(file, metric)
        stage, trials = self._stage([s.method]), {trial.name: trial for trial in self.trials}
        found = circumstances(stage, trials, scores, s.T)
        reasons = [one.reason for one in found]
        page = worst(stage, trials, scores, reasons, s.T, metric, s.figures.tile)
        out = self.out / f"worst-{s.method}-T{s.T}-{metric}.png"
        print(f"{out.name}: {len(scores)} of {of} frames")
        yield write_media(out, [page], STILL, self.making, s.provenance)
        partial = out.with_name(f".{out.stem}.csv")
        partial.write_text(as_csv(stage, trials, scores, found, metric))
        yield partial.replace(out.with_suffix(".csv"))

    def videos(self) -> Iterator[Path]:
        figures = self.settings.figures
        T, stage = figures.Ts[-1], self._stage(figures.methods)
        for trial in drawn_trials(self.trials, figures.videos, figures.seed):
            taken = take(self.store, trial, self.settings.mode)
            frames = side_by_side(stage, taken.trial, T, figures.tile)
            name = "".join(c if c.isalnum() or c in "-_" else "-" for c in trial.name)
            file = self.out / f"video-T{T}-{name}.mp4"
            yield write_media(file, frames, taken.fps, self.making, self.settings.provenance)

    def _model(self) -> str | None:
        """The hash of the first method's weights that has any."""
        made = (self.animators.made_of(method) for method in self.settings.figures.methods)
        return next((parts["checkpoint"] for parts in made if parts["checkpoint"]), None)

    def _stage(self, methods: Sequence[str]) -> Stage:
        adapts = {method: self.animators.adapt(method) for method in methods}
        return Stage(self.store, self.animators.size, self.settings.motion, adapts)

    def _is_row(self, result: Result) -> bool:
        """Whether a result is of the row method=, T= of these settings, whoever scored it."""
        s = self.settings
        wanted: dict[str, Any] = {
            **{key: getattr(s, key) for key in SAME},
            "store": self.store.hash,
            "size": self.animators.size,
            "method": s.method,
            "T": s.T,
            **self.animators.made_of(s.method),
        }
        return all(result.row.get(key) == value for key, value in wanted.items())
