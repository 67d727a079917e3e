"""Qualitative figures and plots of a table's rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from omegaconf import MISSING

from headmime.animate.media_writer import write_media
from headmime.benchmark.methods import Methods
from headmime.benchmark.rows import make_trials, open_store
from headmime.benchmark.settings import RowGrid, RowSettings, check, hold_outputs
from headmime.errors import HeadmimeError
from headmime.evaluation.plots import require_matplotlib
from headmime.evaluation.plots.scene import (
    FigureContext,
    clip_of,
    draw_grid,
    sample_trials,
    side_by_side,
)
from headmime.evaluation.plots.worst import as_csv, circumstances, draw_worst, worst_scores
from headmime.evaluation.results import OF_A_ROW, Result, group_by, read_result
from headmime.files import write_text
from headmime.progress import progress
from headmime.provenance.marking import prepare_marking
from headmime.provenance.statement import (
    Ingredient,
    Kind,
    ProvenanceOptions,
    ProvenanceStatement,
    required_consent,
)

STILL = Fraction(1)


@dataclass
class Figures(RowGrid):
    """Keys of `headmime figures`; it writes to `out`."""

    people: int = MISSING
    videos: int = MISSING
    worst: str = MISSING
    tile: int = MISSING
    seed: int = MISSING
    consent: str | None = None
    out: str = MISSING


@dataclass
class FiguresSettings(RowSettings):
    """A row's keys, and those of figures; conf/study/figures.yaml says what they mean."""

    figures: Figures = field(default_factory=Figures)
    provenance: ProvenanceOptions = field(default_factory=ProvenanceOptions)


def draw_figures(settings: FiguresSettings) -> Iterator[Path]:
    """Check the settings; write plots, the grid, the worst frames and videos; yield their files."""
    figures = settings.figures
    check(settings, [settings.method, *figures.methods], [settings.T, *figures.Ts])
    required_consent(figures.consent)
    prepare_marking(settings.provenance)
    methods = {*figures.methods, settings.method}
    if "real" in methods:
        raise HeadmimeError("method=real is the column Target: leave it out of figures.methods.")
    if "frames" in methods:
        raise HeadmimeError("method=frames is scored (eval, table), not drawn: leave it out.")
    with hold_outputs(settings, "figures"):
        yield from _draw(settings, Path(figures.out).expanduser())


def _draw(settings: FiguresSettings, out: Path) -> Iterator[Path]:
    folder = Path(settings.results).expanduser()
    results = {file: read_result(file) for file in sorted(folder.glob("*.json"))}
    yield from draw_plots(list(results.values()), out)
    images = _Images(settings, out)
    yield images.grid()
    row = next((file for file, result in reversed(results.items()) if images.is_row(result)), None)
    if row is None:
        method, T = settings.method, settings.T
        print(f"The worst frames are skipped: `headmime eval` has not run method={method} T={T}.")
    else:
        yield from images.worst(row)
    yield from images.videos()


def draw_plots(results: Sequence[Result], out: Path) -> Iterator[Path]:
    """Plot quality against T for every table with results for several T."""
    require_matplotlib()
    from headmime.evaluation.plots.quality import draw_quality, write_figure

    for table in group_by(results, OF_A_ROW):
        row = table[0].row
        if len({one.row["T"] for one in table}) > 1:
            name = f"quality-{row['dataset']}-{row['mode']}-{row['store'][:6]}-{row['code'][:6]}"
            yield from write_figure(draw_quality(table), out / name)


class _Images:
    """Figures that show people; written with provenance marks like all outputs."""

    def __init__(self, settings: FiguresSettings, out: Path) -> None:
        self.settings, self.figures, self.out = settings, settings.figures, out
        self.store = open_store(settings)
        self.methods = Methods(settings, self.store)
        self.trials, _ = make_trials(settings, self.store)
        origins = [self.methods.origin_of(method) for method in self.figures.methods]
        self.statement = ProvenanceStatement(
            consent=required_consent(self.figures.consent),
            model_sha256=next((one["checkpoint"] for one in origins if one["checkpoint"]), None),
            ingredients=(Ingredient("source", "store", self.store.hash),),
            settings={"methods": " ".join(self.figures.methods)},
            kind=Kind.COMPOSITE,
        )

    def grid(self) -> Path:
        """Write the grid of people x T x methods."""
        figures = self.figures
        chosen = sample_trials(self.trials, figures.people, figures.seed)
        with progress("Grid") as on_line:
            context = self._context(figures.methods)
            page = draw_grid(context, chosen, figures.Ts, figures.tile, figures.seed, on_line)
        return write_media(
            self.out / "grid.png", [page], STILL, self.statement, self.settings.provenance
        )

    def worst(self, file: Path) -> Iterator[Path]:
        """Write the worst frames of the row method=, T=, and a CSV of how they differ."""
        s, metric = self.settings, self.figures.worst
        scores, total = worst_scores(file, metric)
        context, trials = self._context([s.method]), {trial.name: trial for trial in self.trials}
        conditions = [circumstances(context, trials[one.trial], one, s.T) for one in scores]
        reasons = [one.reason for one in conditions]
        page = draw_worst(context, trials, scores, reasons, s.T, metric, self.figures.tile)
        out = self.out / f"worst-{s.method}-T{s.T}-{metric}.png"
        print(f"{out.name}: {len(scores)} of {total} frames")
        yield write_media(out, [page], STILL, self.statement, s.provenance)
        write_text(out.with_suffix(".csv"), as_csv(context, trials, scores, conditions, metric))
        yield out.with_suffix(".csv")

    def videos(self) -> Iterator[Path]:
        """Write side-by-side videos of the methods."""
        figures = self.figures
        T, context = figures.Ts[-1], self._context(figures.methods)
        for trial in sample_trials(self.trials, figures.videos, figures.seed):
            clip, fps = clip_of(self.store, trial, self.settings.mode)
            frames = side_by_side(context, clip, T, figures.tile)
            name = "".join(c if c.isalnum() or c in "-_" else "-" for c in trial.name)
            file = self.out / f"video-T{T}-{name}.mp4"
            yield write_media(file, frames, fps, self.statement, self.settings.provenance)

    def is_row(self, result: Result) -> bool:
        """Return whether a result is of the row method=, T= of these settings, by any scorers."""
        expected = self.methods.description(self.settings.method, self.settings.T)
        return all(result.row.get(key) == value for key, value in expected.items())

    def _context(self, methods: Sequence[str]) -> FigureContext:
        adapts = {method: self.methods.adapt_to_anyone(method) for method in methods}
        return FigureContext(self.store, self.methods.size, self.settings.motion, adapts)
